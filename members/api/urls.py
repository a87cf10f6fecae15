"""The addresses of the REST API of members; each answers with and without a slash at its end."""

from django.urls import URLPattern, path

from members.api.balance import MemberBalance
from members.api.purchase_batches import PurchaseBatches
from members.api.purchases import Purchases

app_name = "members-api"

urlpatterns: list[URLPattern] = [
    path("purchases", Purchases.as_view(), name="purchases"),
    path("purchases/", Purchases.as_view(schema=None)),
    path("purchases/batch", PurchaseBatches.as_view(), name="purchase-batches"),
    path("purchases/batch/", PurchaseBatches.as_view(schema=None)),
    path("members/<str:number>/balance", MemberBalance.as_view(), name="balance"),
    path("members/<str:number>/balance/", MemberBalance.as_view(schema=None)),
]

"""The addresses of the REST API of members; each answers with and without a slash at its end."""

from django.urls import URLPattern, path

from members.api.balance import MemberBalance
from members.api.holds import CaptureHold, Holds, RefundHold, ReleaseHold
from members.api.payment_quotes import PaymentQuotes
from members.api.purchase_batches import PurchaseBatches
from members.api.purchase_events import PurchaseEvents
from members.api.purchases import Purchases
from members.api.quotes import Quotes
from members.api.returns import ReturnPreviews, Returns

app_name = "members-api"

urlpatterns: list[URLPattern] = [
    path("purchases", Purchases.as_view(), name="purchases"),
    path("purchases/", Purchases.as_view(schema=None)),
    path("holds", Holds.as_view(), name="holds"),
    path("holds/", Holds.as_view(schema=None)),
    path("holds/quote", PaymentQuotes.as_view(), name="payment-quotes"),
    path("holds/quote/", PaymentQuotes.as_view(schema=None)),
    path("holds/<str:hold>/capture", CaptureHold.as_view(), name="capture-hold"),
    path("holds/<str:hold>/capture/", CaptureHold.as_view(schema=None)),
    path("holds/<str:hold>/release", ReleaseHold.as_view(), name="release-hold"),
    path("holds/<str:hold>/release/", ReleaseHold.as_view(schema=None)),
    path("holds/<str:hold>/refund", RefundHold.as_view(), name="refund-hold"),
    path("holds/<str:hold>/refund/", RefundHold.as_view(schema=None)),
    path("purchases/events", PurchaseEvents.as_view(), name="purchase-events"),
    path("purchases/events/", PurchaseEvents.as_view(schema=None)),
    path("purchases/quote", Quotes.as_view(), name="quotes"),
    path("purchases/quote/", Quotes.as_view(schema=None)),
    path("returns", Returns.as_view(), name="returns"),
    path("returns/", Returns.as_view(schema=None)),
    path("returns/preview", ReturnPreviews.as_view(), name="return_preview"),
    path("returns/preview/", ReturnPreviews.as_view(schema=None)),
    path("purchases/batch", PurchaseBatches.as_view(), name="purchase-batches"),
    path("purchases/batch/", PurchaseBatches.as_view(schema=None)),
    path("members/<str:number>/balance", MemberBalance.as_view(), name="balance"),
    path("members/<str:number>/balance/", MemberBalance.as_view(schema=None)),
]

"""The addresses of the pages of rewards."""

from django.urls import URLPattern, path

from rewards.web import views

app_name = "rewards"

urlpatterns: list[URLPattern] = [
    path("rewards/", views.catalogue, name="catalogue"),
    path("rewards/<slug:public_id>/", views.detail, name="detail"),
    path("rewards/<slug:public_id>/picture/", views.picture, name="picture"),
    path("rewards/<slug:public_id>/redeem/", views.redeem, name="redeem"),
    path("wallet/", views.wallet, name="wallet"),
    path("wallet/<slug:public_id>/", views.redemption, name="redemption"),
]

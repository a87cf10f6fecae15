"""The addresses of the pages of rewards."""

from django.urls import URLPattern, path

from rewards.web import coupons, till, views

app_name = "rewards"

urlpatterns: list[URLPattern] = [
    path("rewards/", views.catalogue, name="catalogue"),
    path("rewards/<slug:public_id>/", views.detail, name="detail"),
    path("rewards/<slug:public_id>/picture/", views.picture, name="picture"),
    path("rewards/<slug:public_id>/redeem/", views.redeem, name="redeem"),
    path("claims/", coupons.centre, name="claims"),
    path("claims/<slug:public_id>/", coupons.claim, name="claim"),
    path("wallet/<slug:public_id>/pass-on/", coupons.pass_on, name="pass_on"),
    path("present/<str:token>/", coupons.present, name="present"),
    path("till/", till.till, name="till"),
    path("till/store/", till.choose_store, name="till_store"),
    path("till/scan/", till.scan, name="till_scan"),
    path("till/act/", till.act, name="till_act"),
    path("till/enrol/", till.enrol, name="till_enrol"),
    path("wallet/", views.wallet, name="wallet"),
    path("wallet/<slug:public_id>/", views.redemption, name="redemption"),
]

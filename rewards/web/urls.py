"""The addresses of the pages of rewards."""

from django.urls import URLPattern, path

from rewards.web import catalogue, coupons, handover, parts, till, views, waiting, wishes

app_name = "rewards"

urlpatterns: list[URLPattern] = [
    path("rewards/", catalogue.catalogue, name="catalogue"),
    path("rewards/<slug:public_id>/", catalogue.detail, name="detail"),
    path("rewards/<slug:public_id>/preview/", catalogue.preview, name="preview"),
    path("rewards/<slug:public_id>/picture/", catalogue.picture, name="picture"),
    path("rewards/<slug:public_id>/wish/", wishes.wish, name="wish"),
    path("rewards/<slug:public_id>/queue/", waiting.join, name="queue_join"),
    path("rewards/<slug:public_id>/queue/leave/", waiting.leave, name="queue_leave"),
    path("rewards/<slug:public_id>/seat/", waiting.seat, name="seat"),
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
    path("wishes/", wishes.wish_list, name="wishes"),
    path("interests/", parts.save_interests, name="interests"),
    path("wallet/", views.wallet, name="wallet"),
    path("wallet/<slug:public_id>/", views.redemption, name="redemption"),
    path("wallet/<slug:public_id>/address/", handover.address, name="address"),
]

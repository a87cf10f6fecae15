"""The addresses of the pages of rewards."""

from django.urls import URLPattern, path

from rewards.web import catalogue, handover, parts, views, waiting, wishes

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
    path("wishes/", wishes.wish_list, name="wishes"),
    path("interests/", parts.save_interests, name="interests"),
    path("wallet/", views.wallet, name="wallet"),
    path("wallet/<slug:public_id>/", views.redemption, name="redemption"),
    path("wallet/<slug:public_id>/address/", handover.address, name="address"),
]

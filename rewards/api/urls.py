"""The addresses of the REST API of rewards; each answers with and without a slash at its end."""

from django.urls import URLPattern, path

from rewards.api.catalogue import MemberRewards, RewardQuote
from rewards.api.coupons import Coupons
from rewards.api.redemptions import (
    CancelRedemption,
    CaptureRedemption,
    Redemptions,
    RefundRedemption,
    ReleaseRedemption,
    UndoUse,
    UseRedemption,
)
from rewards.api.till import TillLookups

app_name = "rewards-api"

urlpatterns: list[URLPattern] = [
    path("members/<str:number>/rewards", MemberRewards.as_view(), name="rewards"),
    path("members/<str:number>/rewards/", MemberRewards.as_view(schema=None)),
    path("members/<str:number>/rewards/<str:reward>", RewardQuote.as_view(), name="quote"),
    path("members/<str:number>/rewards/<str:reward>/", RewardQuote.as_view(schema=None)),
    path("coupons", Coupons.as_view(), name="coupons"),
    path("coupons/", Coupons.as_view(schema=None)),
    path("till/lookups", TillLookups.as_view(), name="till-lookups"),
    path("till/lookups/", TillLookups.as_view(schema=None)),
    path("redemptions", Redemptions.as_view(), name="redemptions"),
    path("redemptions/", Redemptions.as_view(schema=None)),
    path("redemptions/<str:redemption>/capture", CaptureRedemption.as_view(), name="capture"),
    path("redemptions/<str:redemption>/capture/", CaptureRedemption.as_view(schema=None)),
    path("redemptions/<str:redemption>/release", ReleaseRedemption.as_view(), name="release"),
    path("redemptions/<str:redemption>/release/", ReleaseRedemption.as_view(schema=None)),
    path("redemptions/<str:redemption>/cancel", CancelRedemption.as_view(), name="cancel"),
    path("redemptions/<str:redemption>/cancel/", CancelRedemption.as_view(schema=None)),
    path("redemptions/<str:redemption>/refund", RefundRedemption.as_view(), name="refund"),
    path("redemptions/<str:redemption>/refund/", RefundRedemption.as_view(schema=None)),
    path("redemptions/<str:redemption>/use", UseRedemption.as_view(), name="use"),
    path("redemptions/<str:redemption>/use/", UseRedemption.as_view(schema=None)),
    path("redemptions/<str:redemption>/undo", UndoUse.as_view(), name="undo"),
    path("redemptions/<str:redemption>/undo/", UndoUse.as_view(schema=None)),
]

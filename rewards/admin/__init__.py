"""Rewards in the admin."""

from rewards.admin.catalogue import CategoryAdmin, RewardAdmin
from rewards.admin.coupons import CampaignCodeAdmin, CouponIssueAdmin, GiveawayAdmin, TillActAdmin
from rewards.admin.parcels import ParcelAdmin
from rewards.admin.redemptions import RedemptionAdmin

__all__ = [
    "CampaignCodeAdmin",
    "CategoryAdmin",
    "CouponIssueAdmin",
    "GiveawayAdmin",
    "ParcelAdmin",
    "RedemptionAdmin",
    "RewardAdmin",
    "TillActAdmin",
]

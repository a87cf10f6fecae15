"""Rewards in the admin."""

from rewards.admin.catalogue import CategoryAdmin, RewardAdmin
from rewards.admin.coupons import CouponIssueAdmin, GiveawayAdmin, TillActAdmin
from rewards.admin.redemptions import RedemptionAdmin

__all__ = ["CategoryAdmin", "CouponIssueAdmin", "GiveawayAdmin", "RedemptionAdmin", "RewardAdmin", "TillActAdmin"]

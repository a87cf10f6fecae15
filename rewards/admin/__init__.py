"""Rewards in the admin."""

from rewards.admin.catalogue import CategoryAdmin, RewardAdmin
from rewards.admin.parcels import ParcelAdmin
from rewards.admin.redemptions import RedemptionAdmin

__all__ = ["CategoryAdmin", "ParcelAdmin", "RedemptionAdmin", "RewardAdmin"]

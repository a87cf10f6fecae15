"""The models of rewards, imported from its packages."""

from rewards.catalogue.models import Category, Reward, RewardLimit, RewardTierPrice
from rewards.codes.models import Code, CodeUse
from rewards.partners.models import Partner
from rewards.redemption.models import Redemption
from rewards.stock.models import RewardStock, StockMovement

__all__ = [
    "Category",
    "Code",
    "CodeUse",
    "Partner",
    "Redemption",
    "Reward",
    "RewardLimit",
    "RewardStock",
    "RewardTierPrice",
    "StockMovement",
]

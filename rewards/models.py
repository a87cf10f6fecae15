"""The models of rewards, imported from its packages."""

from rewards.browsing.models import Interest
from rewards.catalogue.models import Category, Reward, RewardLimit, RewardTierPrice
from rewards.codes.models import Code, CodeUse
from rewards.handover.models import Parcel
from rewards.partners.models import Partner
from rewards.redemption.models import Redemption
from rewards.stock.models import RewardStock, StockMovement
from rewards.waiting.models import WaitingPlace
from rewards.wishes.models import Wish

__all__ = [
    "Category",
    "Code",
    "CodeUse",
    "Interest",
    "Parcel",
    "Partner",
    "Redemption",
    "Reward",
    "RewardLimit",
    "RewardStock",
    "RewardTierPrice",
    "StockMovement",
    "WaitingPlace",
    "Wish",
]

"""The models of rewards, imported from its packages."""

from rewards.browsing.models import Interest
from rewards.catalogue.models import Category, Reward, RewardLimit, RewardTierPrice
from rewards.codes.models import Code, CodeUse
from rewards.coupons.models import (
    CampaignCode,
    CodeTries,
    CouponIssue,
    Giveaway,
    GiveawayClaim,
    IssueRecipient,
    Present,
)
from rewards.handover.models import Parcel
from rewards.partners.models import Partner
from rewards.redemption.models import Redemption
from rewards.stock.models import RewardStock, StockMovement
from rewards.till.models import TillAct
from rewards.waiting.models import WaitingPlace
from rewards.wishes.models import Wish

__all__ = [
    "CampaignCode",
    "Category",
    "Code",
    "CodeTries",
    "CodeUse",
    "CouponIssue",
    "Giveaway",
    "GiveawayClaim",
    "Interest",
    "IssueRecipient",
    "Parcel",
    "Partner",
    "Present",
    "Redemption",
    "Reward",
    "RewardLimit",
    "RewardStock",
    "RewardTierPrice",
    "StockMovement",
    "TillAct",
    "WaitingPlace",
    "Wish",
]

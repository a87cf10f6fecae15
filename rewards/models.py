"""The models of rewards, imported from its packages."""

from rewards.catalogue.models import Category, Reward
from rewards.codes.models import Code
from rewards.redemption.models import Redemption
from rewards.stock.models import RewardStock, StockMovement

__all__ = ["Category", "Code", "Redemption", "Reward", "RewardStock", "StockMovement"]

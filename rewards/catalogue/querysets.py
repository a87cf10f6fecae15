"""Named questions about rewards."""

from datetime import datetime
from typing import TYPE_CHECKING, Self

from django.db import models
from django.db.models import F, Q

if TYPE_CHECKING:
    from rewards.catalogue.models import Reward

# The databases do not agree on where nothing comes in an order.
_ORDER = (
    F("category__order").asc(nulls_last=True),
    F("category_id").asc(nulls_last=True),
    "order",
    "points",
    "pk",
)


class RewardQuerySet(models.QuerySet["Reward"]):
    """Questions about rewards."""

    def visible(self, at: datetime) -> Self:
        """Rewards that the catalogue shows, the coming ones too."""
        begun = Q(visible_from=None) | Q(visible_from__lte=at)
        not_over = Q(offered_until=None) | Q(offered_until__gt=at)
        return self.filter(begun, not_over, is_active=True)

    def on_offer(self, at: datetime) -> Self:
        """Rewards that can be redeemed at this instant, as far as their dates say."""
        return self.visible(at).filter(Q(offered_from=None) | Q(offered_from__lte=at))

    def in_order(self, *first: str) -> Self:
        """The order of the catalogue: by category (those without one last), then as staff arranged them.

        ``first`` names what decides before that.
        """
        return self.order_by(*first, *_ORDER)

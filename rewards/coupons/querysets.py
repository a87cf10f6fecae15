"""Named questions about giveaways."""

from datetime import datetime
from typing import TYPE_CHECKING, Self

from django.db import models

if TYPE_CHECKING:
    from rewards.coupons.models import Giveaway


class GiveawayQuerySet(models.QuerySet["Giveaway"]):
    """Questions about giveaways."""

    def open(self, at: datetime) -> Self:
        """Those that members can claim from now; the end is exclusive."""
        return self.filter(is_active=True, opens_at__lte=at, closes_at__gt=at)

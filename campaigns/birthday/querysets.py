"""Named questions about birthday gifts."""

from datetime import datetime
from typing import TYPE_CHECKING, Self

from django.db import models

if TYPE_CHECKING:
    from campaigns.birthday.models import BirthdayGift


class BirthdayGiftQuerySet(models.QuerySet["BirthdayGift"]):
    """Questions about birthday gifts."""

    def due(self, at: datetime) -> Self:
        """Gifts whose day has come and that are not given yet, oldest first."""
        return self.filter(settled_at=None, due_at__lte=at).order_by("due_at", "pk")

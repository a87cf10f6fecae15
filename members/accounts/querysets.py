"""Named questions about members."""

from typing import TYPE_CHECKING, Self

from django.db import models

if TYPE_CHECKING:
    from members.accounts.models import Member


class MemberQuerySet(models.QuerySet["Member"]):
    """Questions about members."""

    def active(self) -> Self:
        """Members who may earn and redeem."""
        return self.filter(status="ACTIVE")

    def unclaimed(self) -> Self:
        """Members enrolled without a login."""
        return self.filter(user=None)

"""Named questions about referrals."""

from datetime import datetime
from typing import TYPE_CHECKING, Self

from django.db import models

if TYPE_CHECKING:
    from campaigns.referral.models import Referral


class ReferralQuerySet(models.QuerySet["Referral"]):
    """Questions about referrals."""

    def due(self, at: datetime) -> Self:
        """Waiting referrals whose friend can no longer return the purchase."""
        return self.filter(state="PENDING", purchase__isnull=False, approve_after__lte=at).order_by(
            "approve_after", "pk"
        )

    def rewarded(self, advocate_id: int) -> Self:
        """Referrals of one member that count against the limits."""
        return self.filter(advocate_id=advocate_id, state__in=["APPROVED", "GRANTED"])

"""Named questions about invitations."""

from datetime import datetime
from typing import TYPE_CHECKING, Self

from django.db import models

if TYPE_CHECKING:
    from feedback.invitations.models import Invitation
    from feedback.surveys.models import Survey


class InvitationQuerySet(models.QuerySet["Invitation"]):
    """Questions about invitations."""

    def of_member(self, member_id: int) -> Self:
        """Invitations of one member."""
        return self.filter(member_id=member_id)

    def asked_since(self, instant: datetime) -> Self:
        """Invitations that count as an ask after ``instant``, those still planned for later included."""
        return self.filter(due_at__gt=instant).exclude(state="WITHDRAWN")

    def open(self, at: datetime) -> Self:
        """Invitations that wait for an answer at ``at``, the newest first."""
        waiting = self.filter(answered_at=None, due_at__lte=at, expires_at__gt=at)
        return waiting.exclude(state="WITHDRAWN").order_by("-due_at")

    def delivered(self, survey: "Survey", *, wave: int) -> Self:
        """Invitations of a wave whose message was sent: the base of the response rate."""
        return self.filter(survey=survey, wave=wave, delivery__state="SENT")

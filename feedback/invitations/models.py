"""Invitations to a survey, and the asks that were held back."""

import secrets
from datetime import date

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from feedback.invitations.querysets import InvitationQuerySet
from feedback.surveys.models import Survey
from members.lib.periods import last_usable_day
from members.programme.models import Programme


def new_token() -> str:
    """Return the secret of a link: 256 random bits."""
    return secrets.token_urlsafe(32)


class Invitation(models.Model):
    """One member asked once because of one occasion. Whoever holds the token may answer."""

    class State(models.TextChoices):
        ASKED = "ASKED", _("asked")
        WITHDRAWN = "WITHDRAWN", _("withdrawn before it was sent")

    survey = models.ForeignKey(Survey, models.PROTECT, related_name="invitations")
    wave = models.PositiveSmallIntegerField(_("wave"))
    member = models.ForeignKey("members.Member", models.PROTECT, db_index=False, related_name="invitations")
    occasion = models.CharField(_("occasion"), max_length=60)
    token = models.CharField(max_length=43, unique=True, default=new_token, editable=False)
    state = models.CharField(_("state"), max_length=9, choices=State.choices, default=State.ASKED)
    delivery = models.OneToOneField("campaigns.Delivery", models.PROTECT, null=True, related_name="invitation")
    created_at = models.DateTimeField(_("created"))
    due_at = models.DateTimeField(_("due"))
    expires_at = models.DateTimeField(_("expires"))
    answered_at = models.DateTimeField(_("answered"), null=True)

    objects = InvitationQuerySet.as_manager()

    class Meta:
        verbose_name = _("invitation")
        verbose_name_plural = _("invitations")
        constraints = [
            models.UniqueConstraint(fields=["survey", "member", "occasion"], name="invitation_once_per_occasion"),
            models.CheckConstraint(condition=Q(expires_at__gt=F("due_at")), name="invitation_can_be_answered"),
        ]
        indexes = [models.Index(fields=["member", "due_at"], name="invitation_of_member")]

    def __str__(self) -> str:
        return f"#{self.pk}"

    @property
    def last_day(self) -> date:
        """The last day, in the programme's zone, on which the link can be answered."""
        return last_usable_day(self.expires_at, Programme.current().tz)


class SuppressedAsk(models.Model):
    """A member who was not asked, and why."""

    class Reason(models.TextChoices):
        CLOSED = "CLOSED", _("membership closed")
        REFUSED = "REFUSED", _("wants no surveys")
        UNREACHABLE = "UNREACHABLE", _("neither address nor login")
        RESTING_ANY = "RESTING_ANY", _("asked lately by some survey")
        RESTING_KIND = "RESTING_KIND", _("asked lately by a survey of this kind")

    survey = models.ForeignKey(Survey, models.PROTECT, related_name="suppressed_asks")
    member = models.ForeignKey("members.Member", models.PROTECT, related_name="+")
    occasion = models.CharField(_("occasion"), max_length=60)
    reason = models.CharField(_("reason"), max_length=12, choices=Reason.choices)
    at = models.DateTimeField(_("at"))

    class Meta:
        verbose_name = _("suppressed ask")
        verbose_name_plural = _("suppressed asks")
        constraints = [
            models.UniqueConstraint(fields=["survey", "member", "occasion"], name="suppressed_ask_once_per_occasion"),
        ]

    def __str__(self) -> str:
        return f"#{self.pk}"

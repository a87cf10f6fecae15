"""Events, their readers' places, and the audit trail of staff."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from members.lib import guards
from members.lib.positions import CommitPosition

guards.guard("members_event")
guards.guard("members_audit")


class Event(models.Model):
    """One fact: ids and numbers only, never personal data. Append-only."""

    kind = models.CharField(_("kind"), max_length=40)
    member = models.ForeignKey(
        "members.Member",
        models.PROTECT,
        null=True,
        db_constraint=False,
        db_index=False,
        related_name="events",
    )
    occurred_at = models.DateTimeField(_("happened"))
    recorded_at = models.DateTimeField(_("recorded"))
    data = models.JSONField(_("data"), default=dict)
    backfilled = models.BooleanField(
        _("imported past"), default=False, help_text=_("Readers that speak to members skip it.")
    )
    # Ids are not commit order: a reader would skip a row that commits late. See members.lib.positions.
    position = models.BigIntegerField(db_default=CommitPosition(), editable=False)

    class Meta:
        verbose_name = _("event")
        verbose_name_plural = _("events")
        indexes = [
            models.Index(fields=["position", "id"], name="event_position"),
            models.Index(fields=["member", "-id"], name="event_member"),
            # Friends brought are counted for tiers.
            models.Index(fields=["member", "occurred_at"], name="event_referral", condition=Q(kind="referral.granted")),
            models.Index(fields=["member"], name="event_referral_back", condition=Q(kind="referral.reversed")),
        ]

    def __str__(self) -> str:
        return f"{self.kind} #{self.pk}"


class EventReader(models.Model):
    """How far one reader has come."""

    name = models.CharField(_("name"), max_length=60, unique=True)
    position = models.BigIntegerField(default=-1)
    event_id = models.BigIntegerField(default=0)
    updated_at = models.DateTimeField(_("last moved"), null=True)

    class Meta:
        verbose_name = _("event reader")
        verbose_name_plural = _("event readers")

    def __str__(self) -> str:
        return self.name


class Audit(models.Model):
    """Who did what, and why. Append-only."""

    actor = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    action = models.CharField(_("action"), max_length=60)
    target = models.CharField(_("target"), max_length=80)
    reason = models.CharField(_("reason"), max_length=300)
    data = models.JSONField(_("data"), default=dict)
    at = models.DateTimeField(_("at"))

    class Meta:
        verbose_name = _("audit row")
        verbose_name_plural = _("audit trail")

    def __str__(self) -> str:
        return f"{self.action} {self.target}"

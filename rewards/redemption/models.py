"""Redemptions."""

from datetime import date, datetime
from typing import Any

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from members.lib import codes, periods
from members.programme.models import Programme
from rewards.catalogue.models import Reward
from rewards.codes.models import Code
from rewards.redemption.querysets import RedemptionQuerySet
from rewards.redemption.states import State


def new_redemption_id() -> str:
    """Return a random public id of a redemption."""
    return codes.random_token("rdm")


class Redemption(models.Model):
    """One reward taken by one member: what it cost, its code, and what became of it."""

    class States(models.TextChoices):
        CAPTURED = State.CAPTURED, _("open")
        FULFILLED = State.FULFILLED, _("used or handed over")
        CANCELLED = State.CANCELLED, _("cancelled, points given back")
        EXPIRED = State.EXPIRED, _("expired")

    public_id = models.CharField(max_length=24, unique=True, default=new_redemption_id, editable=False)
    member = models.ForeignKey("members.Member", models.PROTECT, db_index=False, related_name="redemptions")
    reward = models.ForeignKey(Reward, models.PROTECT, related_name="redemptions", verbose_name=_("reward"))
    store = models.ForeignKey(
        "members.Store", models.PROTECT, null=True, blank=True, db_index=False, related_name="+",
        verbose_name=_("used at"),
    )  # fmt: skip
    points = models.PositiveIntegerField(_("points"))
    key = models.CharField(max_length=64, editable=False)
    state = models.CharField(_("state"), max_length=10, choices=States.choices, default=State.CAPTURED)
    code = models.CharField(_("code"), max_length=64, blank=True)
    pool_code = models.OneToOneField(Code, models.PROTECT, null=True, related_name="redemption")
    entry = models.OneToOneField("members.PointsEntry", models.PROTECT, related_name="redemption")
    redeemed_at = models.DateTimeField(_("redeemed"))
    valid_until = models.DateTimeField(_("valid until"), null=True)
    fulfilled_at = models.DateTimeField(_("used"), null=True)
    cancelled_at = models.DateTimeField(_("cancelled"), null=True)
    cancel_reason = models.CharField(_("reason"), max_length=300, blank=True)

    objects = RedemptionQuerySet.as_manager()

    class Meta:
        verbose_name = _("redemption")
        verbose_name_plural = _("redemptions")
        constraints = [
            models.UniqueConstraint(fields=["member", "key"], name="redemption_once_per_key"),
            models.UniqueConstraint(fields=["code"], condition=~Q(code=""), name="redemption_code_once"),
            models.CheckConstraint(condition=Q(points__gt=0), name="redemption_costs_points"),
            models.CheckConstraint(condition=Q(state__in=list(State)), name="redemption_state_known"),
            models.CheckConstraint(
                condition=Q(state="FULFILLED", fulfilled_at__isnull=False)
                | (~Q(state="FULFILLED") & Q(fulfilled_at=None)),
                name="redemption_fulfilled_has_instant",
            ),
            models.CheckConstraint(
                condition=(Q(state="CANCELLED", cancelled_at__isnull=False) & ~Q(cancel_reason=""))
                | (~Q(state="CANCELLED") & Q(cancelled_at=None)),
                name="redemption_cancelled_has_reason",
            ),
        ]
        indexes = [
            models.Index(fields=["member", "-id"], name="redemption_member"),
            models.Index(fields=["member", "reward", "redeemed_at"], name="redemption_limit"),
            models.Index(fields=["valid_until"], name="redemption_open_until", condition=Q(state="CAPTURED")),
        ]

    def __str__(self) -> str:
        return self.public_id

    @property
    def last_day(self) -> date | None:
        """The last day on which it can be used, in the programme's zone."""
        if self.valid_until is None:
            return None
        return periods.last_usable_day(self.valid_until, Programme.current().tz)

    def state_at(self, at: datetime) -> State:
        """Return the state as it truly is: a date that has passed counts before the sweep has written it."""
        has_passed = self.valid_until is not None and self.valid_until <= at
        return State.EXPIRED if self.state == State.CAPTURED and has_passed else State(self.state)

    def words_at(self, at: datetime) -> Any:
        """Return the state in the words of the reward's kind."""
        kind = self.reward.behaviour
        words = {
            State.CAPTURED: kind.waiting,
            State.FULFILLED: kind.done,
            State.CANCELLED: _("Cancelled, points given back"),
            State.EXPIRED: _("Expired"),
        }
        return words[self.state_at(at)]

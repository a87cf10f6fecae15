"""Redemptions."""

from datetime import date, datetime
from typing import Any

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from members.lib import codes, periods
from members.programme.models import Programme
from rewards.catalogue.models import Reward
from rewards.codes.models import Code
from rewards.redemption.querysets import RedemptionQuerySet
from rewards.redemption.states import NOT_PAID_IN_TIME, State

# The piece and all points came back, and somebody said why.
_TAKEN_BACK = [State.CANCELLED, State.RELEASED, State.REFUNDED]


def new_redemption_id() -> str:
    """Return a random public id of a redemption."""
    return codes.random_token("rdm")


class Redemption(models.Model):
    """One reward taken by one member: what it cost, its code, and what became of it."""

    class States(models.TextChoices):
        HELD = State.HELD, _("waits for the money")
        CAPTURED = State.CAPTURED, _("open")
        FULFILLED = State.FULFILLED, _("used or handed over")
        CANCELLED = State.CANCELLED, _("cancelled, points given back")
        EXPIRED = State.EXPIRED, _("expired")
        RELEASED = State.RELEASED, _("not paid, points given back")
        REFUNDED = State.REFUNDED, _("taken back after use, points given back")

    class Source(models.TextChoices):
        PORTAL = "PORTAL", _("portal")
        API = "API", _("shop system")
        TILL = "TILL", _("till")
        SENT = "SENT", _("sent to the member")
        CLAIMED = "CLAIMED", _("claimed by the member")

    public_id = models.CharField(max_length=24, unique=True, default=new_redemption_id, editable=False)
    member = models.ForeignKey("members.Member", models.PROTECT, db_index=False, related_name="redemptions")
    reward = models.ForeignKey(Reward, models.PROTECT, related_name="redemptions", verbose_name=_("reward"))
    source = models.CharField(
        _("origin of the redemption"), max_length=8, choices=Source.choices, default=Source.PORTAL
    )
    # Who may use it, when it was given to a friend; the member otherwise.
    holder = models.ForeignKey(
        "members.Member", models.PROTECT, null=True, blank=True, db_index=False, related_name="held_redemptions",
        verbose_name=_("given to"),
    )  # fmt: skip
    store = models.ForeignKey(
        "members.Store", models.PROTECT, null=True, blank=True, db_index=False, related_name="+",
        verbose_name=_("used at"),
    )  # fmt: skip
    points = models.PositiveIntegerField(_("points"))
    key = models.CharField(max_length=64, editable=False)
    state = models.CharField(_("state"), max_length=10, choices=States.choices, default=State.CAPTURED)
    code = models.CharField(_("code"), max_length=64, blank=True)
    pool_code = models.OneToOneField(Code, models.PROTECT, null=True, related_name="redemption")
    # None where it cost no points, and while the points are only held.
    entry = models.OneToOneField("members.PointsEntry", models.PROTECT, null=True, related_name="redemption")
    hold = models.OneToOneField("members.Hold", models.PROTECT, null=True, related_name="redemption")
    money = models.PositiveBigIntegerField(_("price in money"), null=True)
    currency = models.CharField(_("currency"), max_length=3, blank=True)
    refunded_points = models.PositiveIntegerField(_("points given back"), default=0)
    redeemed_at = models.DateTimeField(_("redeemed"))
    held_until = models.DateTimeField(_("waits until"), null=True)
    valid_from = models.DateTimeField(_("usable from"), null=True)
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
            models.CheckConstraint(
                condition=Q(points=0, entry=None, hold=None)
                | (Q(points__gt=0) & (Q(entry__isnull=False) | Q(hold__isnull=False))),
                name="redemption_points_have_entry",
            ),
            models.CheckConstraint(
                condition=Q(refunded_points__lte=F("points")), name="redemption_gives_back_at_most_points"
            ),
            models.CheckConstraint(
                condition=~Q(state="HELD") | Q(held_until__isnull=False), name="redemption_held_has_end"
            ),
            models.CheckConstraint(condition=Q(state__in=list(State)), name="redemption_state_known"),
            models.CheckConstraint(
                condition=Q(state="FULFILLED", fulfilled_at__isnull=False)
                | Q(state="REFUNDED")
                | (~Q(state__in=["FULFILLED", "REFUNDED"]) & Q(fulfilled_at=None)),
                name="redemption_fulfilled_has_instant",
            ),
            models.CheckConstraint(
                condition=(Q(state__in=_TAKEN_BACK, cancelled_at__isnull=False) & ~Q(cancel_reason=""))
                | (~Q(state__in=_TAKEN_BACK) & Q(cancelled_at=None)),
                name="redemption_cancelled_has_reason",
            ),
        ]
        indexes = [
            models.Index(fields=["member", "-id"], name="redemption_member"),
            models.Index(fields=["member", "reward", "redeemed_at"], name="redemption_limit"),
            models.Index(fields=["holder", "-id"], name="redemption_holder", condition=Q(holder__isnull=False)),
            models.Index(fields=["held_until"], name="redemption_held_until", condition=Q(state="HELD")),
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
        if self.state == State.HELD and self.held_until is not None and self.held_until <= at:
            return State.RELEASED
        has_passed = self.valid_until is not None and self.valid_until <= at
        return State.EXPIRED if self.state == State.CAPTURED and has_passed else State(self.state)

    @property
    def reason_in_words(self) -> str:
        """Why it was taken back: what somebody wrote, or what the clock did."""
        return str(_("Not paid in time.")) if self.cancel_reason == NOT_PAID_IN_TIME else self.cancel_reason

    def words_at(self, at: datetime) -> Any:
        """Return the state in the words of the reward's kind."""
        kind = self.reward.behaviour
        words = {
            State.CAPTURED: kind.waiting,
            State.FULFILLED: kind.done,
            State.CANCELLED: _("Cancelled, points given back"),
            State.EXPIRED: _("Expired"),
            State.HELD: _("Waits for your payment"),
            State.RELEASED: _("Not paid, points given back"),
            State.REFUNDED: _("Taken back, points given back"),
        }
        return words[self.state_at(at)]

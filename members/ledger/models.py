"""Accounts, entries, lots and what used them."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from members.lib import codes, guards

guards.guard("members_pointsentry")
guards.guard("members_lotchange")


def new_hold_id() -> str:
    """Return a random public id of a hold."""
    return codes.random_token("hold")


class PointType(models.TextChoices):
    """Spendable points buy rewards; status points only count for the tier and are never spent."""

    SPENDABLE = "SPENDABLE", _("points")
    STATUS = "STATUS", _("status points")


class PointsAccount(models.Model):
    """One member's points of one type. Narrow and hot: the cached balance, the debt, the row to lock."""

    PointType = PointType

    member = models.ForeignKey("members.Member", models.PROTECT, db_index=False, related_name="points_accounts")
    point_type = models.CharField(max_length=12, choices=PointType.choices, default=PointType.SPENDABLE)
    balance = models.BigIntegerField(_("balance"), default=0)
    debt = models.BigIntegerField(_("debt"), default=0)
    # Set when the books of this account do not add up: earning goes on, nothing is spent.
    blocked_at = models.DateTimeField(_("spending stopped since"), null=True, editable=False)

    class Meta:
        verbose_name = _("points account")
        verbose_name_plural = _("points accounts")
        constraints = [
            models.UniqueConstraint(fields=["member", "point_type"], name="points_account_one_per_type"),
            models.CheckConstraint(condition=Q(debt__gte=0), name="points_account_debt_not_negative"),
            models.CheckConstraint(condition=Q(balance__gte=-F("debt")), name="points_account_balance_covers_debt"),
        ]

    def __str__(self) -> str:
        return str(self.pk)


class PointsEntry(models.Model):
    """One signed movement of points between a member and the programme. Append-only."""

    class Kind(models.TextChoices):
        EARN = "EARN", _("earned")
        GRANT = "GRANT", _("gift")
        RETURN = "RETURN", _("returned purchase")
        REDEEM = "REDEEM", _("redeemed")
        REFUND = "REFUND", _("given back")
        EXPIRE = "EXPIRE", _("expired")
        ADJUST = "ADJUST", _("adjusted")
        TAKE_BACK = "TAKE_BACK", _("taken back")
        HOLD = "HOLD", _("held")
        CAPTURE = "CAPTURE", _("hold used")
        RELEASE = "RELEASE", _("hold released")
        TRANSFER = "TRANSFER", _("transferred")
        REINSTATE = "REINSTATE", _("reinstated")

    class Contra(models.TextChoices):
        ISSUED = "ISSUED", _("issued")
        REDEEMED = "REDEEMED", _("redeemed")
        EXPIRED = "EXPIRED", _("expired")
        ADJUSTED = "ADJUSTED", _("adjusted")
        REVERSED = "REVERSED", _("reversed")
        HELD = "HELD", _("held")
        TRANSFERRED = "TRANSFERRED", _("transferred")

    account = models.ForeignKey(PointsAccount, models.PROTECT, db_constraint=False, db_index=False)
    member = models.ForeignKey(
        "members.Member", models.PROTECT, db_constraint=False, db_index=False, related_name="points_entries"
    )
    point_type = models.CharField(
        _("points of type"), max_length=10, choices=PointType.choices, default=PointType.SPENDABLE
    )
    kind = models.CharField(_("kind"), max_length=10, choices=Kind.choices)
    contra = models.CharField(_("programme account"), max_length=12, choices=Contra.choices)
    points = models.BigIntegerField(_("points"))
    key = models.CharField(_("key"), max_length=120, unique=True)
    purchase_id = models.BigIntegerField(null=True, editable=False)
    # The entry that this one answers: what it gives back, captures, releases, or the other side of a transfer.
    related_id = models.BigIntegerField(null=True, editable=False)
    reason = models.CharField(_("reason"), max_length=300, blank=True)
    breakdown = models.JSONField(_("why"), default=dict)
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        db_constraint=False,
        db_index=False,
        related_name="+",
    )
    occurred_at = models.DateTimeField(_("happened"))
    recorded_at = models.DateTimeField(_("recorded"))

    class Meta:
        verbose_name = _("points entry")
        verbose_name_plural = _("points entries")
        indexes = [
            models.Index(fields=["member", "id"], name="points_entry_member"),
            models.Index(fields=["purchase_id"], name="points_entry_purchase", condition=Q(purchase_id__isnull=False)),
            models.Index(fields=["related_id"], name="points_entry_related", condition=Q(related_id__isnull=False)),
            # What lowered a member's figure and leaves a rolling window is looked for every night.
            models.Index(
                fields=["occurred_at"],
                name="points_entry_lowers",
                condition=Q(kind__in=["RETURN", "TAKE_BACK", "ADJUST"]),
            ),
        ]
        constraints = [
            # These may be worth nothing: they keep the reason why.
            models.CheckConstraint(
                condition=~Q(points=0) | Q(kind__in=["EARN", "GRANT", "RETURN", "TAKE_BACK"]),
                name="points_entry_moves",
            ),
            models.CheckConstraint(
                condition=Q(kind__in=["EARN", "GRANT", "REFUND", "CAPTURE", "RELEASE", "REINSTATE"], points__gte=0)
                | Q(kind__in=["RETURN", "REDEEM", "EXPIRE", "TAKE_BACK", "HOLD"], points__lte=0)
                | Q(kind__in=["ADJUST", "TRANSFER"]),
                name="points_entry_sign_fits_kind",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.points:+,}"


class PointsLot(models.Model):
    """A credit with its own life: usable from ``available_from`` until (exclusive) ``expires_at``.

    ``available_from`` None waits for an event; its end is then set when it becomes usable. While ``notice_due`` the lot
    does not end, whatever its date says: its member has not been told in time.
    """

    entry = models.ForeignKey(PointsEntry, models.PROTECT, db_constraint=False, related_name="lots")
    account = models.ForeignKey(PointsAccount, models.PROTECT, db_constraint=False, db_index=False)
    member = models.ForeignKey("members.Member", models.PROTECT, db_constraint=False, db_index=False, related_name="+")
    granted = models.BigIntegerField(_("granted"))
    remaining = models.BigIntegerField(_("remaining"))
    available_from = models.DateTimeField(_("usable from"), null=True)
    expires_at = models.DateTimeField(_("usable until"), null=True)
    notice_due = models.BooleanField(_("ends only after a notice"), default=False)
    # Given with an end of its own: activity of the member does not move it.
    has_own_end = models.BooleanField(_("has an end of its own"), default=False, db_default=False)
    # The lot of another account whose points these are, dates kept.
    moved_from_id = models.BigIntegerField(null=True, editable=False)

    class Meta:
        verbose_name = _("lot")
        verbose_name_plural = _("lots")
        constraints = [
            models.CheckConstraint(condition=Q(granted__gt=0), name="points_lot_grants_something"),
            models.CheckConstraint(
                condition=Q(remaining__gte=0, remaining__lte=F("granted")),
                name="points_lot_remaining_in_range",
            ),
        ]
        indexes = [
            models.Index(fields=["account", "expires_at", "id"], name="points_lot_open", condition=Q(remaining__gt=0)),
            models.Index(fields=["expires_at", "account"], name="points_lot_due", condition=Q(remaining__gt=0)),
            models.Index(fields=["moved_from_id"], name="points_lot_moved", condition=Q(moved_from_id__isnull=False)),
        ]

    def __str__(self) -> str:
        return f"{self.remaining}/{self.granted}"


class LotUse(models.Model):
    """How much of a lot an entry used; negative when points were put back."""

    entry = models.ForeignKey(PointsEntry, models.PROTECT, db_constraint=False, related_name="uses")
    lot = models.ForeignKey(PointsLot, models.PROTECT, db_constraint=False, related_name="uses")
    points = models.BigIntegerField(_("points"))

    class Meta:
        verbose_name = _("lot use")
        verbose_name_plural = _("lot uses")
        constraints = [models.CheckConstraint(condition=~Q(points=0), name="lot_use_moves")]

    def __str__(self) -> str:
        return str(self.points)


class LotChange(models.Model):
    """A change of a lot's dates, and why. Append-only: with it the lots of any instant can be told."""

    class Why(models.TextChoices):
        ACTIVATED = "ACTIVATED", _("became usable")
        NOTICED = "NOTICED", _("the member was told")
        EXTENDED = "EXTENDED", _("extended")
        COURTESY = "COURTESY", _("courtesy after our cancellation")
        REINSTATED = "REINSTATED", _("reinstated")

    lot = models.ForeignKey(PointsLot, models.PROTECT, db_constraint=False, related_name="changes")
    member = models.ForeignKey("members.Member", models.PROTECT, db_constraint=False, db_index=False, related_name="+")
    why = models.CharField(_("why"), max_length=12, choices=Why.choices)
    at = models.DateTimeField(_("at"))
    # Time travel goes by this: what was recorded later was not yet so.
    recorded_at = models.DateTimeField(_("recorded"))
    old_available_from = models.DateTimeField(null=True)
    new_available_from = models.DateTimeField(null=True)
    old_expires_at = models.DateTimeField(null=True)
    new_expires_at = models.DateTimeField(null=True)
    old_notice_due = models.BooleanField(default=False)
    new_notice_due = models.BooleanField(default=False)
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, db_constraint=False, db_index=False, related_name="+"
    )
    reason = models.CharField(_("reason"), max_length=300, blank=True)

    class Meta:
        verbose_name = _("change of a lot")
        verbose_name_plural = _("changes of lots")

    def __str__(self) -> str:
        return f"{self.why} #{self.lot_id}"


class Hold(models.Model):
    """Points set aside: taken from their lots, and then used, at most so many, or put back."""

    class State(models.TextChoices):
        HELD = "HELD", _("held")
        CAPTURED = "CAPTURED", _("used")
        RELEASED = "RELEASED", _("released")
        EXPIRED = "EXPIRED", _("ran out")

    public_id = models.CharField(max_length=24, unique=True, default=new_hold_id, editable=False)
    account = models.ForeignKey(PointsAccount, models.PROTECT, db_constraint=False, db_index=False)
    member = models.ForeignKey("members.Member", models.PROTECT, db_constraint=False, related_name="+")
    entry = models.OneToOneField(PointsEntry, models.PROTECT, db_constraint=False, related_name="hold")
    points = models.BigIntegerField(_("points"))
    captured = models.BigIntegerField(_("used"), default=0)
    capture_entry = models.OneToOneField(
        PointsEntry, models.PROTECT, db_constraint=False, null=True, related_name="captured_hold"
    )
    state = models.CharField(_("state"), max_length=8, choices=State.choices, default=State.HELD)
    reason = models.CharField(_("reason"), max_length=300, blank=True)
    held_at = models.DateTimeField(_("held"))
    expires_at = models.DateTimeField(_("runs out"))
    settled_at = models.DateTimeField(_("settled"), null=True)

    class Meta:
        verbose_name = _("hold")
        verbose_name_plural = _("holds")
        constraints = [
            models.CheckConstraint(condition=Q(points__gt=0), name="hold_holds_something"),
            models.CheckConstraint(
                condition=Q(captured__gte=0, captured__lte=F("points")), name="hold_captured_in_range"
            ),
            models.CheckConstraint(
                condition=Q(state="HELD", settled_at=None, captured=0) | ~Q(state="HELD"), name="hold_open_is_whole"
            ),
        ]
        indexes = [models.Index(fields=["expires_at"], name="hold_due", condition=Q(state="HELD"))]

    def __str__(self) -> str:
        return self.public_id


class Counter(models.Model):
    """How many points were given under one cap in one period, to one member or (member 0) to everybody."""

    name = models.CharField(max_length=40)
    member_id = models.BigIntegerField()
    period = models.DateField(help_text=_("The local day on which the period began."))
    used = models.BigIntegerField(default=0)

    class Meta:
        verbose_name = _("counter of a cap")
        verbose_name_plural = _("counters of caps")
        constraints = [
            models.UniqueConstraint(fields=["name", "member_id", "period"], name="counter_once"),
            models.CheckConstraint(condition=Q(used__gte=0), name="counter_not_negative"),
        ]

    def __str__(self) -> str:
        return f"{self.name} {self.period}: {self.used}"


class PointsGift(models.Model):
    """Points that one member gave to another. The note is theirs and may be deleted; the entries stay."""

    giver = models.ForeignKey("members.Member", models.PROTECT, db_index=False, related_name="points_given")
    taker = models.ForeignKey("members.Member", models.PROTECT, db_index=False, related_name="points_received")
    points = models.PositiveIntegerField(_("points"))
    note = models.CharField(_("note"), max_length=140, blank=True)
    key = models.CharField(max_length=64, editable=False)
    at = models.DateTimeField(_("given"))

    class Meta:
        verbose_name = _("gift of points")
        verbose_name_plural = _("gifts of points")
        constraints = [
            models.UniqueConstraint(fields=["giver", "key"], name="points_gift_once_per_key"),
            models.CheckConstraint(condition=Q(points__gt=0), name="points_gift_gives_something"),
            models.CheckConstraint(condition=~Q(giver=F("taker")), name="points_gift_to_another"),
        ]
        indexes = [
            models.Index(fields=["giver", "at"], name="points_gift_giver"),
            models.Index(fields=["taker", "at"], name="points_gift_taker"),
        ]

    def __str__(self) -> str:
        return f"#{self.pk}"


class AdjustmentRequest(models.Model):
    """A correction above the limit, waiting for a second person."""

    class State(models.TextChoices):
        WAITING = "WAITING", _("waiting")
        APPROVED = "APPROVED", _("approved")
        REFUSED = "REFUSED", _("refused")

    member = models.ForeignKey("members.Member", models.PROTECT, related_name="+")
    points = models.BigIntegerField(_("points"))
    reason = models.CharField(_("reason"), max_length=300)
    key = models.CharField(max_length=80, unique=True, editable=False)
    state = models.CharField(_("state"), max_length=8, choices=State.choices, default=State.WAITING)
    requested_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    requested_at = models.DateTimeField(_("asked"))
    decided_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    decided_at = models.DateTimeField(_("decided"), null=True)

    class Meta:
        verbose_name = _("adjustment to approve")
        verbose_name_plural = _("adjustments to approve")
        constraints = [
            models.CheckConstraint(condition=~Q(points=0), name="adjustment_request_moves"),
            models.CheckConstraint(
                condition=Q(decided_by=None) | ~Q(decided_by=F("requested_by")),
                name="adjustment_request_two_persons",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.points:+d} #{self.pk}"

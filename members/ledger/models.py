"""Accounts, entries, lots and what used them."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from members.lib import guards

guards.guard("members_pointsentry")


class PointsAccount(models.Model):
    """One member's points of one type. Narrow and hot: the cached balance, the debt, the row to lock."""

    class PointType(models.TextChoices):
        SPENDABLE = "SPENDABLE", _("points")

    member = models.ForeignKey("members.Member", models.PROTECT, db_index=False, related_name="points_accounts")
    point_type = models.CharField(max_length=12, choices=PointType.choices, default=PointType.SPENDABLE)
    balance = models.BigIntegerField(_("balance"), default=0)
    debt = models.BigIntegerField(_("debt"), default=0)

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

    class Contra(models.TextChoices):
        ISSUED = "ISSUED", _("issued")
        REDEEMED = "REDEEMED", _("redeemed")
        EXPIRED = "EXPIRED", _("expired")
        ADJUSTED = "ADJUSTED", _("adjusted")
        REVERSED = "REVERSED", _("reversed")

    account = models.ForeignKey(PointsAccount, models.PROTECT, db_constraint=False, db_index=False)
    member = models.ForeignKey(
        "members.Member", models.PROTECT, db_constraint=False, db_index=False, related_name="points_entries"
    )
    kind = models.CharField(_("kind"), max_length=10, choices=Kind.choices)
    contra = models.CharField(_("programme account"), max_length=10, choices=Contra.choices)
    points = models.BigIntegerField(_("points"))
    key = models.CharField(_("key"), max_length=120, unique=True)
    purchase_id = models.BigIntegerField(null=True, editable=False)
    reverses_id = models.BigIntegerField(null=True, editable=False)
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
        ]
        constraints = [
            # These may be worth nothing: they keep the reason why.
            models.CheckConstraint(
                condition=~Q(points=0) | Q(kind__in=["EARN", "RETURN", "TAKE_BACK"]),
                name="points_entry_moves",
            ),
            models.CheckConstraint(
                condition=Q(kind__in=["EARN", "GRANT", "REFUND"], points__gte=0)
                | Q(kind__in=["RETURN", "REDEEM", "EXPIRE", "TAKE_BACK"], points__lte=0)
                | Q(kind="ADJUST"),
                name="points_entry_sign_fits_kind",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.points:+d}"


class PointsLot(models.Model):
    """A credit with its own life: usable from ``available_from`` until (exclusive) ``expires_at``."""

    entry = models.OneToOneField(PointsEntry, models.PROTECT, db_constraint=False, related_name="lot")
    account = models.ForeignKey(PointsAccount, models.PROTECT, db_constraint=False, db_index=False)
    member = models.ForeignKey("members.Member", models.PROTECT, db_constraint=False, db_index=False, related_name="+")
    granted = models.BigIntegerField(_("granted"))
    remaining = models.BigIntegerField(_("remaining"))
    available_from = models.DateTimeField(_("usable from"))
    expires_at = models.DateTimeField(_("usable until"), null=True)

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

"""The one row of programme settings."""

import time
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from members.lib import periods
from members.lib.clock import database_now
from members.lib.money import format_money

# The row is read on every award; a change by another process is seen after this many seconds.
_CACHE_SECONDS = 2.0
_cached: tuple[float, "Programme"] | None = None


def validate_zone(name: str) -> None:
    """Refuse names that are no IANA time zone."""
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError) as problem:
        raise ValidationError(_("“%(name)s” is not a time zone."), params={"name": name}) from problem


def validate_month_days(text: str) -> None:
    """Refuse what is not a list of month-day pairs such as 06-30, 12-31."""
    try:
        for month, day in month_days(text):
            date(2000, month, day)
    except ValueError as problem:
        raise ValidationError(_("Write month and day such as 12-31, several with commas between.")) from problem


def month_days(text: str) -> tuple[tuple[int, int], ...]:
    """Return the (month, day) pairs of a list such as "06-30, 12-31"; raises ValueError."""
    pairs = [pair.strip().split("-") for pair in text.split(",") if pair.strip()]
    return tuple((int(month), int(day)) for month, day in pairs)


class Programme(models.Model):
    """Settings of the programme; exactly one row, made on first use."""

    class DebtPolicy(models.TextChoices):
        CLAMP = "CLAMP", _("stop at zero and record the shortfall")
        DEBT = "DEBT", _("visible debt, paid by the next points")

    class ExpiryPolicy(models.TextChoices):
        NEVER = "NEVER", _("for ever")
        DAYS = "DAYS", _("a number of days")
        MONTHS = "MONTHS", _("a number of months")
        CALENDAR = "CALENDAR", _("until a fixed day of the calendar")
        INACTIVITY = "INACTIVITY", _("a number of months after the last activity")

    class RoundUp(models.TextChoices):
        NONE = "NONE", _("day")
        MONTH = "MONTH", _("month")
        QUARTER = "QUARTER", _("quarter")
        HALF_YEAR = "HALF_YEAR", _("half-year")
        YEAR = "YEAR", _("year")

    class LeapBirthday(models.TextChoices):
        FEB_28 = "FEB_28", _("28 February")
        MAR_1 = "MAR_1", _("1 March")

    class Rounding(models.TextChoices):
        FLOOR = "FLOOR", _("down: 28.5 is 28")
        NEAREST = "NEAREST", _("to the nearest: 28.5 is 29")
        CEILING = "CEILING", _("up: 28.1 is 29")

    class PayRounding(models.TextChoices):
        BLOCK = "BLOCK", _("whole blocks only")
        DOWN = "DOWN", _("single points, the amount rounded down")
        UP = "UP", _("single points, the amount rounded up")

    name = models.CharField(_("name"), max_length=80, default="Harbour Club")
    currency = models.CharField(_("currency"), max_length=3, default="GBP")
    zone = models.CharField(_("time zone"), max_length=40, default="Europe/London", validators=[validate_zone])
    expiry_policy = models.CharField(
        _("points last"),
        max_length=10,
        choices=ExpiryPolicy.choices,
        default=ExpiryPolicy.MONTHS,
        help_text=_("A change counts for points that become usable from now on; dates already given are kept."),
    )
    expiry_months = models.PositiveSmallIntegerField(
        _("this many months"),
        null=True,
        blank=True,
        default=12,
        validators=[MaxValueValidator(600)],
        help_text=_("12 is a year; 0 is the same day. Also the months without activity."),
    )
    expiry_days = models.PositiveSmallIntegerField(_("this many days"), null=True, blank=True)
    expiry_dates = models.CharField(
        _("until the next of these days"),
        max_length=120,
        blank=True,
        validators=[validate_month_days],
        help_text=_("Month and day, such as 12-31, or several: 06-30, 12-31."),
    )
    expiry_years_later = models.PositiveSmallIntegerField(
        _("in the year so many years later"),
        default=0,
        validators=[MaxValueValidator(50)],
        help_text=_("0: the next such day. 1 with 03-31: the points of a year end on 31 March of the year after."),
    )
    expiry_round_up = models.CharField(
        _("to the end of that"), max_length=10, choices=RoundUp.choices, default=RoundUp.MONTH
    )
    inactivity_purchases = models.BooleanField(_("a purchase is activity"), default=True)
    inactivity_redemptions = models.BooleanField(_("redeeming is activity"), default=True)
    # No points end by inactivity sooner than one full period after this day.
    inactivity_since = models.DateField(_("rule of inactivity since"), null=True, editable=False)
    notice_days = models.PositiveSmallIntegerField(
        _("points end only this many days after the member was told"),
        null=True,
        blank=True,
        default=14,
        validators=[MinValueValidator(1), MaxValueValidator(365)],
        help_text=_(
            "A reminder must have been sent; who cannot be reached keeps the points. Empty: points end without notice."
        ),
    )
    reinstate_days = models.PositiveSmallIntegerField(
        _("expired points can come back for days"),
        null=True,
        blank=True,
        validators=[MaxValueValidator(3650)],
        help_text=_("Counted from the day they expired. Empty: they cannot come back."),
    )
    reinstated_for_days = models.PositiveSmallIntegerField(
        _("points that came back last for days"), default=30, validators=[MinValueValidator(1)]
    )
    members_may_reinstate = models.BooleanField(_("members may bring expired points back themselves"), default=False)
    earning_rounding = models.CharField(
        _("points are rounded"),
        max_length=8,
        choices=Rounding.choices,
        default=Rounding.FLOOR,
        help_text=_("Once, after all rules and multipliers."),
    )
    maximum_balance = models.PositiveIntegerField(
        _("most points a member may hold"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1)],
        help_text=_(
            "Pending points count too; what would go above it is not given. Points that come back are never cut. "
            "Empty: any number."
        ),
    )
    oldest_purchase_days = models.PositiveSmallIntegerField(
        _("purchases earn if they come within days"),
        null=True,
        blank=True,
        validators=[MaxValueValidator(3650)],
        help_text=_("Older ones are recorded and earn nothing, claimed ones too. Empty: any age."),
    )
    before_joining_days = models.PositiveSmallIntegerField(
        _("purchases before joining earn, back to days"),
        null=True,
        blank=True,
        validators=[MaxValueValidator(3650)],
        help_text=_("0: none before the day of joining. Empty: all of them."),
    )
    companies_earn = models.BooleanField(_("purchases with a company's tax number earn points"), default=True)
    debt_policy = models.CharField(
        _("when a return takes more than the balance"),
        max_length=8,
        choices=DebtPolicy.choices,
        default=DebtPolicy.CLAMP,
    )
    courtesy_days = models.PositiveSmallIntegerField(
        _("courtesy days"),
        default=14,
        help_text=_("How long given-back points stay usable when we cancelled and their date has passed."),
    )
    hold_hours = models.PositiveSmallIntegerField(
        _("a hold lasts for hours"),
        default=72,
        validators=[MinValueValidator(1)],
        help_text=_("Points set aside for a purchase go back by themselves after so many hours."),
    )
    redemption_undo_days = models.PositiveSmallIntegerField(
        _("a used reward can be opened again for days"),
        default=30,
        help_text=_("Staff undo a wrong mark so long; after that they give points back instead."),
    )
    claim_days = models.PositiveSmallIntegerField(
        _("a forgotten purchase can be claimed for days"), default=30, validators=[MinValueValidator(1)]
    )
    claims_per_day = models.PositiveSmallIntegerField(
        _("claims of forgotten purchases a day"),
        default=5,
        validators=[MinValueValidator(1)],
        help_text=_("How many one member may make."),
    )
    return_window_days = models.PositiveSmallIntegerField(_("return window in days"), default=14)
    adjustment_limit = models.PositiveIntegerField(
        _("adjustments up to this need no second person"), default=1000, validators=[MinValueValidator(1)]
    )
    cost_of_thousand_points = models.PositiveIntegerField(
        _("1,000 points cost the programme (minor units)"),
        null=True,
        blank=True,
        help_text=_("For the report of what the points out there are worth. Empty: the report counts points only."),
    )
    leap_birthday = models.CharField(
        _("29 February in other years"),
        max_length=8,
        choices=LeapBirthday.choices,
        default=LeapBirthday.FEB_28,
    )
    birthday_lock_days = models.PositiveSmallIntegerField(
        _("a birthday entered this many days before counts next year"),
        default=30,
        validators=[MaxValueValidator(180)],
    )
    minimum_marketing_age = models.PositiveSmallIntegerField(_("no marketing below this age"), default=14)

    transfers_enabled = models.BooleanField(_("members may give points to each other"), default=False)
    transfer_minimum = models.PositiveIntegerField(
        _("at least so many points at once"), default=1, validators=[MinValueValidator(1)]
    )
    transfer_daily_limit = models.PositiveIntegerField(
        _("at most so many points a day"), null=True, blank=True, default=1000, help_text=_("Empty: no limit.")
    )
    transfer_yearly_limit = models.PositiveIntegerField(
        _("at most so many points a year"), null=True, blank=True, default=10000, help_text=_("Empty: no limit.")
    )
    household_size = models.PositiveSmallIntegerField(
        _("members in a household"),
        default=6,
        validators=[MinValueValidator(2), MaxValueValidator(20)],
        help_text=_("At most so many pool their points."),
    )
    pays_with_points = models.BooleanField(
        _("members may pay with points"),
        default=False,
        help_text=_("What points are worth is set for each currency under “Values of points”."),
    )
    pay_minimum = models.PositiveIntegerField(
        _("at least so many points a purchase"),
        default=1,
        validators=[MinValueValidator(1)],
        help_text=_("Who has or asks for fewer pays nothing with points."),
    )
    pay_share = models.PositiveSmallIntegerField(
        _("at most this share of a purchase, in percent"),
        default=50,
        validators=[MinValueValidator(1), MaxValueValidator(100)],
        help_text=_("100: points may pay a whole purchase. Rounded down to a minor unit."),
    )
    pay_rounding = models.CharField(
        _("points pay in"),
        max_length=5,
        choices=PayRounding.choices,
        default=PayRounding.BLOCK,
        help_text=_("What points cannot pay exactly is left to be paid with money."),
    )

    class Meta:
        verbose_name = verbose_name_plural = _("programme settings")
        constraints = [
            models.CheckConstraint(condition=models.Q(pk=1), name="programme_is_one_row"),
            models.CheckConstraint(condition=models.Q(adjustment_limit__gt=0), name="programme_limit_is_positive"),
        ]

    def __str__(self) -> str:
        return self.name

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Save, note when a rule of inactivity began, and forget the cached row."""
        if self.expiry_policy == self.ExpiryPolicy.INACTIVITY and self._has_new_inactivity_rule():
            self.inactivity_since = periods.local_day(database_now(), self.tz)
        super().save(*args, **kwargs)
        forget_cached()

    def clean(self) -> None:
        """Ask for the figure that the policy of expiry needs."""
        policy = self.ExpiryPolicy
        needed = {
            policy.DAYS: ("expiry_days", self.expiry_days),
            policy.MONTHS: ("expiry_months", self.expiry_months),
            policy.INACTIVITY: ("expiry_months", self.expiry_months),
            policy.CALENDAR: ("expiry_dates", self.expiry_dates or None),
        }
        field, value = needed.get(policy(self.expiry_policy), ("", 0))
        if value is None:
            raise ValidationError({field: _("Say how long points last.")})

    def _has_new_inactivity_rule(self) -> bool:
        """Whether the rule is new, or its period shorter than before."""
        before = Programme.objects.filter(pk=self.pk).first()
        if before is None or before.expiry_policy != self.ExpiryPolicy.INACTIVITY or before.inactivity_since is None:
            return True
        return (self.expiry_months or 0) < (before.expiry_months or 0)

    @classmethod
    def current(cls) -> "Programme":
        """Return the settings; at most two seconds behind a change made by another process."""
        global _cached  # noqa: PLW0603 - one row, read on every award
        if _cached is None or time.monotonic() - _cached[0] > _CACHE_SECONDS:
            row, _made = cls.objects.get_or_create(pk=1, defaults=settings.PROGRAMME_DEFAULTS)
            _cached = (time.monotonic(), row)
        return _cached[1]

    @property
    def tz(self) -> ZoneInfo:
        """The zone that decides days, expiry and tier years."""
        return ZoneInfo(self.zone)

    @property
    def expiry_month_days(self) -> tuple[tuple[int, int], ...]:
        """The fixed days of the calendar as (month, day)."""
        return month_days(self.expiry_dates)


class PointsValue(models.Model):
    """What a block of points pays of a purchase in one currency; without a row points pay nothing in it."""

    currency = models.CharField(
        _("currency"),
        max_length=3,
        unique=True,
        validators=[RegexValidator(r"^[A-Z]{3}$", _("A currency has three letters, such as GBP."))],
    )
    points = models.PositiveIntegerField(
        _("so many points"), validators=[MinValueValidator(1)], help_text=_("A block: 1, or 100, or what you like.")
    )
    amount = models.PositiveIntegerField(
        _("pay so much (minor units)"), validators=[MinValueValidator(1)], help_text=_("In pence, cents and the like.")
    )
    is_active = models.BooleanField(_("in force"), default=True)

    class Meta:
        verbose_name = _("value of points")
        verbose_name_plural = _("values of points")
        constraints = [
            models.CheckConstraint(condition=models.Q(points__gt=0, amount__gt=0), name="points_value_is_positive")
        ]

    def __str__(self) -> str:
        return f"{self.points:,} = {format_money(self.amount, self.currency)}"


def forget_cached() -> None:
    """Read the row anew next time."""
    global _cached  # noqa: PLW0603
    _cached = None

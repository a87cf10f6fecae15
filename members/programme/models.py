"""The one row of programme settings."""

import time
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from members.lib import periods

# The row is read on every award; a change by another process is seen after this many seconds.
_CACHE_SECONDS = 2.0
_cached: tuple[float, "Programme"] | None = None


def validate_zone(name: str) -> None:
    """Refuse names that are no IANA time zone."""
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError) as problem:
        raise ValidationError(_("“%(name)s” is not a time zone."), params={"name": name}) from problem


class Programme(models.Model):
    """Settings of the programme; exactly one row, made on first use."""

    class DebtPolicy(models.TextChoices):
        CLAMP = "CLAMP", _("stop at zero and record the shortfall")
        DEBT = "DEBT", _("visible debt, paid by the next points")

    class LeapBirthday(models.TextChoices):
        FEB_28 = "FEB_28", _("28 February")
        MAR_1 = "MAR_1", _("1 March")

    name = models.CharField(_("name"), max_length=80, default="Harbour Club")
    currency = models.CharField(_("currency"), max_length=3, default="GBP")
    zone = models.CharField(_("time zone"), max_length=40, default="Europe/London", validators=[validate_zone])
    expiry_months = models.PositiveSmallIntegerField(
        _("points last for months"),
        null=True,
        blank=True,
        default=12,
        help_text=_("Empty: points never expire."),
    )
    expiry_at_month_end = models.BooleanField(_("points last to the end of that month"), default=True)
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
    claim_days = models.PositiveSmallIntegerField(
        _("a forgotten purchase can be claimed for days"), default=30, validators=[MinValueValidator(1)]
    )
    claims_per_day = models.PositiveSmallIntegerField(
        _("claims of forgotten purchases a day"),
        default=5,
        validators=[MinValueValidator(1)],
        help_text=_("How many one member may make."),
    )
    companies_earn = models.BooleanField(
        _("purchases of companies earn points"),
        default=True,
        help_text=_("Those whose invoice names a buyer's tax number."),
    )
    return_window_days = models.PositiveSmallIntegerField(_("return window in days"), default=14)
    adjustment_limit = models.PositiveIntegerField(
        _("adjustments up to this need no second person"), default=1000, validators=[MinValueValidator(1)]
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

    class Meta:
        verbose_name = verbose_name_plural = _("programme settings")
        constraints = [
            models.CheckConstraint(condition=models.Q(pk=1), name="programme_is_one_row"),
            models.CheckConstraint(condition=models.Q(adjustment_limit__gt=0), name="programme_limit_is_positive"),
        ]

    def __str__(self) -> str:
        return self.name

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Save and forget the cached row."""
        super().save(*args, **kwargs)
        forget_cached()

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

    def expiry_of(self, start: datetime) -> datetime | None:
        """Return the exclusive instant at which points available from ``start`` expire, or None for never."""
        if self.expiry_months is None:
            return None
        return periods.end_after_months(start, self.expiry_months, to_month_end=self.expiry_at_month_end, zone=self.tz)


def forget_cached() -> None:
    """Read the row anew next time."""
    global _cached  # noqa: PLW0603
    _cached = None

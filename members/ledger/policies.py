"""When points end: the arithmetic of the expiry policies. Pure: no clock, no database.

A policy yields the last usable day; the stored instant is the local midnight after it.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from members.lib import periods

# How many months the period has to whose end a date is rounded up; 0 leaves it as it is.
ROUNDED_MONTHS = {"NONE": 0, "MONTH": 1, "QUARTER": 3, "HALF_YEAR": 6, "YEAR": 12}

Never = Literal["never"]
# What a tier or an earning rule may say instead of the programme: other months, 0 for the same day, or never.
Override = int | Never | None


@dataclass(frozen=True)
class Policy:
    """How long points last. Without days, months or dates they never end.

    ``since`` is the first day of a rule of inactivity: nothing ends sooner than one full period after it.
    """

    days: int | None = None
    months: int | None = None
    dates: tuple[tuple[int, int], ...] = ()
    years_later: int = 0
    round_up: str = "NONE"
    since: date | None = None


NEVER = Policy()


def end_of(policy: Policy, start: datetime, zone: ZoneInfo, *, override: Override = None) -> datetime | None:
    """Return the exclusive instant at which points usable from ``start`` end, or None for never."""
    return end_from(policy, periods.local_day(start, zone), zone, override=override)


def end_from(policy: Policy, day: date, zone: ZoneInfo, *, override: Override = None) -> datetime | None:
    """Return the exclusive end of points that become usable on a local day; it is the same for the whole day."""
    last_day = last_day_of(overridden(policy, override), day)
    return None if last_day is None else periods.start_of_day(last_day + timedelta(days=1), zone)


def overridden(policy: Policy, override: Override) -> Policy:
    """Return the policy with what a tier or a rule says instead; None leaves it.

    The months of an override are rounded as the programme rounds, except 0, which is the same day.
    """
    if override is None:
        return policy
    if override == "never":
        return NEVER
    return Policy(months=override, round_up=policy.round_up if override else "NONE", since=policy.since)


def last_day_of(policy: Policy, day: date) -> date | None:
    """Return the last day on which points usable from ``day`` can be used, or None for never."""
    if policy.dates:
        return next_listed_day(policy.dates, max(day, date(day.year + policy.years_later, 1, 1)))
    counted_from = max(day, policy.since or day)
    if policy.days is not None:
        return round_up(counted_from + timedelta(days=policy.days), policy.round_up)
    if policy.months is not None:
        return round_up(periods.add_months(counted_from, policy.months), policy.round_up)
    return None


def next_listed_day(dates: Iterable[tuple[int, int]], day: date) -> date:
    """Return the first of the listed (month, day of month) that is ``day`` or later; 29 February may be 28."""
    return min(
        listed
        for month, day_of_month in dates
        for year in (day.year, day.year + 1)
        if (listed := periods.clamped(year, month, day_of_month)) >= day
    )


def round_up(day: date, period: str) -> date:
    """Return the last day of the month, quarter, half-year or year in which the day lies; NONE is the day itself."""
    months = ROUNDED_MONTHS[period]
    if not months:
        return day
    last_month = -(-day.month // months) * months
    return periods.month_end(date(day.year, last_month, 1))

"""Until when a tier is kept, and how long the grace after a failed review lasts. No database, no clock."""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from members.lib import periods
from members.tiers import windows
from members.tiers.models import TierSet


def keep_end(tier_set: TierSet, base: datetime, *, anchor: datetime, zone: ZoneInfo) -> datetime:
    """Return the exclusive end of a term that is earned at ``base``: the midnight after its last day.

    ``anchor`` is the member's own day where the set goes by anniversaries.
    """
    if tier_set.keep == TierSet.Keep.MONTHS:
        return periods.end_after_months(base, tier_set.keep_months, to_month_end=True, zone=zone)
    day = periods.local_day(base, zone)
    if tier_set.keep == TierSet.Keep.DAYS:
        return periods.start_of_day(day + timedelta(days=tier_set.keep_days + 1), zone)
    ahead = 2 if tier_set.keep == TierSet.Keep.NEXT_PERIOD else 1
    end = windows.period_end(tier_set.window, day, ahead=ahead, anchor=periods.local_day(anchor, zone))
    return periods.start_of_day(end, zone)


def next_term(tier_set: TierSet, ended: datetime, at: datetime, *, anchor: datetime, zone: ZoneInfo) -> datetime:
    """Return the end of the term that follows one that ended; counted from ``at`` when even that would be over."""
    following = keep_end(tier_set, ended - timedelta(microseconds=1), anchor=anchor, zone=zone)
    return following if following > at else keep_end(tier_set, at, anchor=anchor, zone=zone)


def grace_end(tier_set: TierSet, reviewed_at: datetime, zone: ZoneInfo) -> datetime:
    """Return the exclusive end of the grace: so many months and days, the day of the review being the first."""
    day: date = periods.add_months(periods.local_day(reviewed_at, zone), tier_set.grace_months)
    return periods.start_of_day(day + timedelta(days=tier_set.grace_days), zone)


def period_of(tier_set: TierSet, at: datetime, zone: ZoneInfo) -> date:
    """Return the first day of the period in which a gift is given once: the set's own, else the calendar year."""
    kind = tier_set.window if tier_set.window in windows.CALENDAR else "YEAR"
    return windows.window_on(kind, periods.local_day(at, zone), months=0, days=0).start

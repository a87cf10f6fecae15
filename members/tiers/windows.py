"""Windows in which things count, and the terms for which tiers are kept, in local days. Pure: no clock, no database."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from members.lib import periods

# Months of one calendar period.
CALENDAR = {"YEAR": 12, "HALF": 6, "QUARTER": 3, "MONTH": 1}
# Windows that begin on a day of the member's own.
ANNIVERSARY = {"JOINED", "TIER"}
# Windows that move on every day.
ROLLING = {"MONTHS", "DAYS"}
# Where nothing lies outside the window.
BEGINNING = date(1900, 1, 1)


@dataclass(frozen=True, slots=True)
class Window:
    """What counts now begins at ``start``; the period that ended there began at ``last_start``.

    Windows that roll have no period before: there ``last_start`` equals ``start``.
    """

    start: date
    last_start: date

    def instants(self, zone: ZoneInfo) -> tuple[datetime, datetime]:
        """Return both starts as instants: local midnights, inclusive."""
        return periods.start_of_day(self.start, zone), periods.start_of_day(self.last_start, zone)


def window_on(kind: str, day: date, *, months: int, days: int, anchor: date | None = None) -> Window:
    """Return the window of a kind on a local day; anniversaries need the day they count from."""
    if kind in CALENDAR:
        start = _calendar_start(day, CALENDAR[kind])
        return Window(start, periods.add_months(start, -CALENDAR[kind]))
    if kind in ANNIVERSARY:
        assert anchor is not None
        years = years_since(anchor, day)
        return Window(periods.add_months(anchor, 12 * years), periods.add_months(anchor, 12 * (years - 1)))
    rolling = {"MONTHS": periods.add_months(day, -months), "DAYS": day - timedelta(days=days)}
    start = rolling.get(kind, BEGINNING)
    return Window(start, start)


def period_end(kind: str, day: date, *, ahead: int, anchor: date) -> date:
    """Return the first day after the period of ``day`` (``ahead`` 1) or after the one that follows it (2).

    Windows without periods go by the calendar year.
    """
    if kind in ANNIVERSARY:
        return periods.add_months(anchor, 12 * (years_since(anchor, day) + ahead))
    months = CALENDAR.get(kind, 12)
    return periods.add_months(_calendar_start(day, months), months * ahead)


def years_since(anchor: date, day: date) -> int:
    """Return how many anniversaries have come by a day; 29 February has its day on the 28th in other years."""
    years = day.year - anchor.year
    return years if periods.add_months(anchor, 12 * years) <= day else years - 1


def months_since(joined: date, day: date) -> int:
    """Return the whole months from one day to another; the 31st has its day at the end of shorter months."""
    months = (day.year - joined.year) * 12 + day.month - joined.month
    return months if periods.add_months(joined, months) <= day else months - 1


def first_day_too_young(day: date, months: int) -> date:
    """Return the first day of joining that does not make ``months`` whole months by a day."""
    joined = periods.add_months(day, -months)
    while periods.add_months(joined, months) <= day:
        joined += timedelta(days=1)
    return joined


def _calendar_start(day: date, months: int) -> date:
    return date(day.year, (day.month - 1) // months * months + 1, 1)

"""Calendar arithmetic in the programme's zone. Pure: no clock, no database."""

import calendar
import functools
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo


def add_months(day: date, months: int) -> date:
    """Return the same day ``months`` later, clamped to the end of a shorter month (31 Jan + 1 = 28/29 Feb)."""
    month_index = day.year * 12 + day.month - 1 + months
    year, month = divmod(month_index, 12)
    return clamped(year, month + 1, day.day)


def clamped(year: int, month: int, day: int) -> date:
    """Return the day of that month, or the month's last day when it has no such day."""
    return date(year, month, min(day, calendar.monthrange(year, month)[1]))


def month_end(day: date) -> date:
    """Return the last day of the month."""
    return day.replace(day=calendar.monthrange(day.year, day.month)[1])


@functools.lru_cache(maxsize=4096)
def local_instant(day: date, hour: int, minute: int, zone: ZoneInfo) -> datetime:
    """Return the UTC instant of a local wall time.

    A time that a clock change skips moves forward to the first valid instant; one that happens twice is the first.
    """
    naive = datetime(day.year, day.month, day.day, hour, minute, tzinfo=zone)
    instant = naive.astimezone(UTC)
    if instant.astimezone(zone).replace(tzinfo=None) == naive.replace(tzinfo=None):
        return instant
    # In a gap fold=0 uses the offset before the change and lands past it; the first valid instant is the change.
    return _first_instant_after_gap(naive, instant, zone)


def _first_instant_after_gap(naive: datetime, after: datetime, zone: ZoneInfo) -> datetime:
    low, high = after - timedelta(hours=3), after
    before_offset = low.astimezone(zone).utcoffset()
    while high - low > timedelta(seconds=1):
        middle = low + (high - low) / 2
        if middle.astimezone(zone).utcoffset() == before_offset:
            low = middle
        else:
            high = middle
    return high.replace(microsecond=0)


def start_of_day(day: date, zone: ZoneInfo) -> datetime:
    """Return the UTC instant at which the local day begins."""
    return local_instant(day, 0, 0, zone)


def local_day(instant: datetime, zone: ZoneInfo) -> date:
    """Return the local calendar day of an instant."""
    return instant.astimezone(zone).date()


def last_usable_day(expires_at: datetime, zone: ZoneInfo) -> date:
    """Return the last local day on which something with this exclusive end can be used."""
    return (expires_at - timedelta(microseconds=1)).astimezone(zone).date()


def end_after_days(start: datetime, days: int, zone: ZoneInfo) -> datetime:
    """Return the exclusive end after so many full days: the midnight after the last of them."""
    return start_of_day(local_day(start, zone) + timedelta(days=days + 1), zone)


def end_after_months(start: datetime, months: int, *, to_month_end: bool, zone: ZoneInfo) -> datetime:
    """Return the exclusive end of "usable for ``months`` months": the midnight after the last usable day."""
    return _end_of_months_from(local_day(start, zone), months, to_month_end, zone)


@functools.lru_cache(maxsize=4096)
def _end_of_months_from(day: date, months: int, to_month_end: bool, zone: ZoneInfo) -> datetime:
    last_day = add_months(day, months)
    if to_month_end:
        last_day = month_end(last_day)
    return start_of_day(last_day + timedelta(days=1), zone)

"""When a birthday is. Pure: no clock, no database.

A birthday is month and day; the year is nobody's business here. Every calendar year has exactly one
occurrence.
"""

import calendar
from collections.abc import Iterator
from datetime import date, timedelta


def occurrence(month: int, day: int, year: int, *, leap_on_1_march: bool) -> date:
    """Return the birthday in ``year``; 29 February falls on 28 February or 1 March of a common year."""
    if (month, day) == (2, 29) and not calendar.isleap(year):
        return date(year, 3, 1) if leap_on_1_march else date(year, 2, 28)
    return date(year, month, day)


def birthdays_on(today: date, *, leap_on_1_march: bool) -> list[tuple[int, int]]:
    """Return the (month, day) whose occurrence is ``today``: one, or two where a 29 February is kept."""
    stands_in = (3, 1) if leap_on_1_march else (2, 28)
    if (today.month, today.day) == stands_in and not calendar.isleap(today.year):
        return [(today.month, today.day), (2, 29)]
    return [(today.month, today.day)]


def days(first: date, last: date) -> Iterator[date]:
    """Yield every day from ``first`` to ``last``, both included."""
    for offset in range((last - first).days + 1):
        yield first + timedelta(days=offset)


def counts(*, occurs_on: date, entered_on: date | None, lock_days: int) -> bool:
    """Tell whether a birthday entered on that day counts for this occurrence already.

    Whoever enters it less than ``lock_days`` before, or afterwards, has to wait for next year. None: known
    from the start.
    """
    return entered_on is None or (occurs_on - entered_on).days >= lock_days


def joined_in_time(*, occurs_on: date, joined_on: date, same_day: bool) -> bool:
    """Tell whether someone who joined on that day takes part in this occurrence."""
    return joined_on < occurs_on or (same_day and joined_on == occurs_on)

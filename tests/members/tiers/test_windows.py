"""Windows begin at local midnights; anniversaries know leap days; months since joining know short months."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from members.lib import periods
from members.tiers import windows

LONDON = ZoneInfo("Europe/London")
TAIPEI = ZoneInfo("Asia/Taipei")


def window(kind, day, anchor=None, months=12, days=30):
    return windows.window_on(kind, day, months=months, days=days, anchor=anchor)


@pytest.mark.parametrize(
    ("kind", "day", "start", "last_start"),
    [
        ("YEAR", date(2026, 1, 1), date(2026, 1, 1), date(2025, 1, 1)),
        ("YEAR", date(2026, 12, 31), date(2026, 1, 1), date(2025, 1, 1)),
        ("HALF", date(2026, 6, 30), date(2026, 1, 1), date(2025, 7, 1)),
        ("HALF", date(2026, 7, 1), date(2026, 7, 1), date(2026, 1, 1)),
        ("QUARTER", date(2026, 3, 31), date(2026, 1, 1), date(2025, 10, 1)),
        ("QUARTER", date(2026, 4, 1), date(2026, 4, 1), date(2026, 1, 1)),
        ("MONTH", date(2026, 3, 1), date(2026, 3, 1), date(2026, 2, 1)),
        ("MONTH", date(2026, 1, 31), date(2026, 1, 1), date(2025, 12, 1)),
    ],
)
def test_calendar_windows_begin_with_the_period_and_know_the_one_before(kind, day, start, last_start):
    assert window(kind, day) == windows.Window(start, last_start)


@pytest.mark.parametrize(
    ("day", "anchor", "start", "last_start"),
    [
        (date(2026, 3, 9), date(2024, 3, 10), date(2025, 3, 10), date(2024, 3, 10)),
        (date(2026, 3, 10), date(2024, 3, 10), date(2026, 3, 10), date(2025, 3, 10)),
        (date(2024, 3, 10), date(2024, 3, 10), date(2024, 3, 10), date(2023, 3, 10)),
        # 29 February has its day on the 28th in other years.
        (date(2025, 2, 27), date(2024, 2, 29), date(2024, 2, 29), date(2023, 2, 28)),
        (date(2025, 2, 28), date(2024, 2, 29), date(2025, 2, 28), date(2024, 2, 29)),
        (date(2028, 2, 28), date(2024, 2, 29), date(2027, 2, 28), date(2026, 2, 28)),
        (date(2028, 2, 29), date(2024, 2, 29), date(2028, 2, 29), date(2027, 2, 28)),
    ],
)
def test_an_anniversary_window_begins_on_the_members_own_day(day, anchor, start, last_start):
    assert window("JOINED", day, anchor) == windows.Window(start, last_start)
    assert window("TIER", day, anchor) == windows.Window(start, last_start)


@pytest.mark.parametrize(
    ("kind", "day", "start"),
    [
        ("MONTHS", date(2026, 6, 15), date(2025, 6, 15)),
        ("MONTHS", date(2025, 2, 28), date(2024, 2, 28)),
        ("MONTHS", date(2024, 2, 29), date(2023, 2, 28)),
        ("DAYS", date(2026, 3, 1), date(2026, 1, 30)),
        ("LIFETIME", date(2026, 3, 1), windows.BEGINNING),
    ],
)
def test_windows_that_roll_have_no_period_before(kind, day, start):
    assert window(kind, day) == windows.Window(start, start)


@pytest.mark.parametrize(
    ("kind", "day", "zone", "start"),
    [
        # The year begins at local midnight, wherever that is in UTC.
        ("YEAR", date(2026, 5, 1), LONDON, datetime(2026, 1, 1, tzinfo=UTC)),
        ("YEAR", date(2026, 5, 1), TAIPEI, datetime(2025, 12, 31, 16, tzinfo=UTC)),
        # Summer time: midnight in London is 23:00 UTC of the day before.
        ("MONTH", date(2026, 3, 29), LONDON, datetime(2026, 3, 1, tzinfo=UTC)),
        ("MONTH", date(2026, 4, 2), LONDON, datetime(2026, 3, 31, 23, tzinfo=UTC)),
        ("QUARTER", date(2026, 11, 2), LONDON, datetime(2026, 9, 30, 23, tzinfo=UTC)),
        # Where the clock jumps over midnight the day begins at the first instant there is.
        ("DAYS", date(2018, 12, 4), ZoneInfo("America/Sao_Paulo"), datetime(2018, 11, 4, 3, tzinfo=UTC)),
    ],
)
def test_windows_begin_at_local_midnights(kind, day, zone, start):
    assert window(kind, day).instants(zone)[0] == start


@pytest.mark.parametrize(
    ("kind", "day", "ahead", "end"),
    [
        ("YEAR", date(2026, 3, 10), 1, date(2027, 1, 1)),
        ("YEAR", date(2026, 3, 10), 2, date(2028, 1, 1)),
        ("HALF", date(2026, 7, 1), 1, date(2027, 1, 1)),
        ("QUARTER", date(2026, 12, 31), 2, date(2027, 4, 1)),
        ("MONTH", date(2026, 1, 31), 2, date(2026, 3, 1)),
        ("JOINED", date(2026, 3, 10), 1, date(2027, 2, 28)),
        ("JOINED", date(2026, 3, 10), 2, date(2028, 2, 29)),
        # Nothing to go by: the calendar year.
        ("MONTHS", date(2026, 3, 10), 2, date(2028, 1, 1)),
        ("LIFETIME", date(2026, 3, 10), 1, date(2027, 1, 1)),
    ],
)
def test_a_period_ends_on_the_first_day_after_it(kind, day, ahead, end):
    assert windows.period_end(kind, day, ahead=ahead, anchor=date(2024, 2, 29)) == end


@pytest.mark.parametrize(
    ("joined", "day", "months"),
    [
        (date(2026, 1, 31), date(2026, 2, 27), 0),
        (date(2026, 1, 31), date(2026, 2, 28), 1),
        (date(2026, 1, 31), date(2026, 3, 30), 1),
        (date(2026, 1, 31), date(2026, 3, 31), 2),
        (date(2024, 2, 29), date(2025, 2, 28), 12),
        (date(2026, 1, 15), date(2026, 1, 14), -1),
    ],
)
def test_months_since_joining_are_whole_months(joined, day, months):
    assert windows.months_since(joined, day) == months


@given(
    st.dates(date(2015, 1, 1), date(2032, 12, 31)),
    st.integers(0, 60),
    st.integers(-40, 40),
)
def test_who_joined_before_the_first_day_too_young_has_the_months_and_nobody_else(day, months, offset):
    joined = periods.add_months(day, -months).toordinal() + offset
    joined = date.fromordinal(joined)
    is_old_enough = joined < windows.first_day_too_young(day, months)
    assert is_old_enough == (windows.months_since(joined, day) >= months)


@given(st.dates(date(2015, 1, 1), date(2032, 12, 31)), st.dates(date(2015, 1, 1), date(2032, 12, 31)))
def test_every_day_lies_in_the_year_that_its_window_says(anchor, day):
    found = window("JOINED", day, anchor)
    assert found.last_start < found.start <= day
    assert windows.period_end("JOINED", day, ahead=1, anchor=anchor) > day

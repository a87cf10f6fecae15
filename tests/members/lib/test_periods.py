"""Calendar arithmetic."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from members.lib import periods

ZONES = [
    "Europe/Berlin",
    "America/New_York",
    "America/Sao_Paulo",
    "Asia/Kolkata",
    "Asia/Kathmandu",
    "Australia/Lord_Howe",
    "Pacific/Apia",
    "Asia/Taipei",
]


@pytest.mark.parametrize(
    ("day", "months", "expected"),
    [
        (date(2026, 1, 25), 1, date(2026, 2, 25)),
        (date(2026, 1, 31), 1, date(2026, 2, 28)),
        (date(2028, 1, 31), 1, date(2028, 2, 29)),
        (date(2026, 12, 31), 2, date(2027, 2, 28)),
        (date(2026, 6, 15), 0, date(2026, 6, 15)),
        (date(2026, 3, 31), -1, date(2026, 2, 28)),
    ],
)
def test_months_are_added_and_clamped(day, months, expected):
    assert periods.add_months(day, months) == expected


def usable_until(start, months, zone="Europe/London", *, month_end=False):
    end = periods.end_after_months(start, months, to_month_end=month_end, zone=ZoneInfo(zone))
    return periods.last_usable_day(end, ZoneInfo(zone))


def test_points_of_25_january_with_one_month_are_usable_to_the_end_of_25_february():
    start = datetime(2026, 1, 25, 15, tzinfo=UTC)
    assert usable_until(start, 1) == date(2026, 2, 25)
    end = periods.end_after_months(start, 1, to_month_end=False, zone=ZoneInfo("Europe/London"))
    assert end == datetime(2026, 2, 26, 0, tzinfo=UTC)


def test_zero_months_end_with_the_same_day():
    assert usable_until(datetime(2026, 1, 25, 15, tzinfo=UTC), 0) == date(2026, 1, 25)


def test_rounded_to_the_end_of_the_month():
    assert usable_until(datetime(2026, 7, 6, 9, tzinfo=UTC), 12, month_end=True) == date(2027, 7, 31)


def test_the_day_is_the_programmes_own():
    start = datetime(2026, 1, 31, 17, tzinfo=UTC)
    assert usable_until(start, 0, "Asia/Taipei") == date(2026, 2, 1)


def test_a_skipped_local_time_moves_to_the_first_valid_instant():
    berlin = ZoneInfo("Europe/Berlin")
    assert periods.local_instant(date(2026, 3, 29), 2, 30, berlin) == datetime(2026, 3, 29, 1, tzinfo=UTC)


def test_a_local_time_that_happens_twice_is_the_first():
    berlin = ZoneInfo("Europe/Berlin")
    assert periods.local_instant(date(2026, 10, 25), 2, 30, berlin) == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)


@given(
    st.dates(date(2000, 1, 1), date(2040, 1, 1)),
    st.sampled_from(ZONES),
    st.integers(min_value=0, max_value=60),
)
def test_the_end_is_always_the_start_of_the_day_after_the_last_usable_one(day, name, months):
    zone = ZoneInfo(name)
    start = periods.local_instant(day, 13, 5, zone)
    end = periods.end_after_months(start, months, to_month_end=False, zone=zone)
    last = periods.last_usable_day(end, zone)
    assert last <= periods.add_months(periods.local_day(start, zone), months)
    assert periods.start_of_day(last + timedelta(days=1), zone) >= end
    assert end > start


@given(st.dates(date(2000, 1, 1), date(2040, 1, 1)), st.sampled_from(ZONES))
def test_the_start_of_a_day_is_its_first_instant(day, name):
    zone = ZoneInfo(name)
    start = periods.start_of_day(day, zone)
    assert periods.local_day(start, zone) >= day
    assert periods.local_day(start - timedelta(seconds=1), zone) < periods.local_day(start, zone)

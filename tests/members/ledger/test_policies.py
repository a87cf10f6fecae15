"""The last day of points under each policy, as a shop owner reckons it on paper."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from members.ledger.policies import NEVER, ROUNDED_MONTHS, Policy, end_of, last_day_of, next_listed_day, round_up
from members.lib import periods

LONDON = ZoneInfo("Europe/London")
ZONES = ["Europe/London", "America/Sao_Paulo", "Asia/Taipei", "Australia/Lord_Howe", "Pacific/Apia"]


def months(count, round_up="NONE"):
    return Policy(months=count, round_up=round_up)


END_OF_MARCH_NEXT_YEAR = Policy(dates=((3, 31),), years_later=1)
END_OF_EACH_HALF = Policy(dates=((6, 30), (12, 31)))


@pytest.mark.parametrize(
    ("policy", "usable_from", "last_day"),
    [
        # Months keep the day, clamped to the end of a shorter month; 0 months is the same day.
        (months(1), date(2026, 1, 25), date(2026, 2, 25)),
        (months(1), date(2026, 1, 31), date(2026, 2, 28)),
        (months(1), date(2028, 1, 31), date(2028, 2, 29)),
        (months(0), date(2026, 1, 25), date(2026, 1, 25)),
        # A year is twelve months: of 29 February it ends on the 28th, after four years on the 29th.
        (months(12), date(2028, 2, 29), date(2029, 2, 28)),
        (months(48), date(2028, 2, 29), date(2032, 2, 29)),
        # Rounded up to the end of the month, quarter, half-year, year in which that day lies.
        (months(0, "MONTH"), date(2026, 1, 22), date(2026, 1, 31)),
        (months(1, "MONTH"), date(2026, 1, 22), date(2026, 2, 28)),
        (months(12, "MONTH"), date(2020, 7, 6), date(2021, 7, 31)),
        (months(12, "QUARTER"), date(2026, 5, 1), date(2027, 6, 30)),
        (months(12, "HALF_YEAR"), date(2026, 7, 1), date(2027, 12, 31)),
        (months(12, "YEAR"), date(2026, 1, 1), date(2027, 12, 31)),
        (months(0, "YEAR"), date(2018, 3, 5), date(2018, 12, 31)),
        # Days: 365 of them are over on the 366th day.
        (Policy(days=365), date(2026, 1, 1), date(2027, 1, 1)),
        (Policy(days=0), date(2026, 2, 28), date(2026, 2, 28)),
        (Policy(days=10, round_up="MONTH"), date(2026, 1, 25), date(2026, 2, 28)),
        # Fixed days of the calendar.
        (END_OF_MARCH_NEXT_YEAR, date(2026, 1, 10), date(2027, 3, 31)),
        (END_OF_MARCH_NEXT_YEAR, date(2026, 12, 31), date(2027, 3, 31)),
        (Policy(dates=((12, 31),), years_later=1), date(2026, 6, 15), date(2027, 12, 31)),
        (Policy(dates=((12, 31),)), date(2026, 12, 31), date(2026, 12, 31)),
        (Policy(dates=((3, 31),)), date(2026, 4, 1), date(2027, 3, 31)),
        (END_OF_EACH_HALF, date(2026, 6, 30), date(2026, 6, 30)),
        (END_OF_EACH_HALF, date(2026, 7, 1), date(2026, 12, 31)),
        (Policy(dates=((2, 29),)), date(2027, 1, 5), date(2027, 2, 28)),
        (Policy(dates=((2, 29),)), date(2027, 3, 1), date(2028, 2, 29)),
        (NEVER, date(2026, 6, 15), None),
    ],
)
def test_the_last_usable_day_of_points(policy, usable_from, last_day):
    assert last_day_of(policy, usable_from) == last_day


def test_points_of_6_july_2020_for_12_months_to_the_end_of_the_month_end_when_1_august_2021_begins():
    end = end_of(months(12, "MONTH"), datetime(2020, 7, 6, 15, tzinfo=UTC), ZoneInfo("Asia/Taipei"))
    assert end == datetime(2021, 7, 31, 16, tzinfo=UTC)
    assert end.astimezone(ZoneInfo("Asia/Taipei")) == datetime(2021, 8, 1, tzinfo=ZoneInfo("Asia/Taipei"))


@pytest.mark.parametrize(
    ("zone", "day", "end"),
    [
        # Sao Paulo, 4 November 2018: the day began at 01:00, midnight did not exist.
        ("America/Sao_Paulo", date(2018, 11, 3), datetime(2018, 11, 4, 3, tzinfo=UTC)),
        # London, 29 March 2026 has 23 hours: midnight before it is winter time, midnight after it summer time.
        ("Europe/London", date(2026, 3, 28), datetime(2026, 3, 29, 0, tzinfo=UTC)),
        ("Europe/London", date(2026, 3, 29), datetime(2026, 3, 29, 23, tzinfo=UTC)),
        # Havana, 1 November 2026: midnight to one o'clock happens twice; the day begins with the first.
        ("America/Havana", date(2026, 10, 31), datetime(2026, 11, 1, 4, tzinfo=UTC)),
        # Lord Howe moves its clocks by half an hour.
        ("Australia/Lord_Howe", date(2026, 10, 4), datetime(2026, 10, 4, 13, tzinfo=UTC)),
    ],
)
def test_the_end_is_the_midnight_after_the_last_day_also_where_clocks_change(zone, day, end):
    start = periods.local_instant(day, 12, 0, ZoneInfo(zone))
    assert end_of(months(0), start, ZoneInfo(zone)) == end


def test_an_override_says_other_months_the_same_day_or_never_and_is_rounded_as_the_programme_rounds():
    start = datetime(2026, 1, 22, 12, tzinfo=UTC)
    policy = months(12, "MONTH")
    ends = [end_of(policy, start, LONDON, override=override) for override in (None, 24, 0, "never")]
    assert ends == [
        datetime(2027, 2, 1, tzinfo=UTC),
        datetime(2028, 2, 1, tzinfo=UTC),
        datetime(2026, 1, 23, tzinfo=UTC),
        None,
    ]


def test_a_rule_of_inactivity_ends_nothing_sooner_than_one_full_period_after_it_began():
    policy = Policy(months=12, since=date(2023, 3, 1))
    assert last_day_of(policy, date(2021, 5, 5)) == date(2024, 3, 1)
    assert last_day_of(policy, date(2023, 9, 9)) == date(2024, 9, 9)


policies = st.one_of(
    st.builds(Policy, days=st.integers(0, 4000), round_up=st.sampled_from(sorted(ROUNDED_MONTHS))),
    st.builds(Policy, months=st.integers(0, 600), round_up=st.sampled_from(sorted(ROUNDED_MONTHS))),
    st.builds(
        Policy,
        dates=st.lists(st.dates(date(2000, 1, 1), date(2000, 12, 31)), min_size=1, max_size=4).map(
            lambda days: tuple((day.month, day.day) for day in days)
        ),
        years_later=st.integers(0, 5),
    ),
)
days = st.dates(date(2000, 1, 1), date(2040, 1, 1))


@given(policies, days, st.integers(0, 23), st.sampled_from(ZONES))
def test_the_day_points_become_usable_is_always_a_usable_day_and_the_shown_day_is_the_last(policy, day, hour, name):
    zone = ZoneInfo(name)
    start = periods.local_instant(day, hour, 30, zone)
    end = end_of(policy, start, zone)
    last_day = last_day_of(policy, periods.local_day(start, zone))
    assert end > start
    assert periods.start_of_day(last_day + timedelta(days=1), zone) == end
    assert periods.last_usable_day(end, zone) <= last_day


@given(policies, days, st.integers(0, 400))
def test_points_that_become_usable_later_never_end_sooner(policy, day, later):
    assert last_day_of(policy, day + timedelta(days=later)) >= last_day_of(policy, day)


@given(days, st.sampled_from(["MONTH", "QUARTER", "HALF_YEAR", "YEAR"]))
def test_rounding_up_reaches_the_last_day_of_the_period_and_stays_there(day, period):
    rounded = round_up(day, period)
    assert rounded >= day
    assert (rounded + timedelta(days=1)).day == 1
    assert round_up(rounded, period) == rounded
    assert (rounded.year, -(-rounded.month // ROUNDED_MONTHS[period])) == (
        day.year,
        -(-day.month // ROUNDED_MONTHS[period]),
    )


@given(st.lists(st.sampled_from([(1, 31), (2, 29), (6, 30), (12, 31)]), min_size=1), days)
def test_the_next_listed_day_is_listed_and_no_listed_day_lies_between(dates, day):
    found = next_listed_day(dates, day)
    listed = {periods.clamped(year, *pair) for pair in dates for year in (day.year, day.year + 1)}
    assert found in listed
    assert not any(day <= other < found for other in listed)

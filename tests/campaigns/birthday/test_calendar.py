"""The calendar of birthdays."""

import calendar as months
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from campaigns.birthday.calendar import birthdays_on, counts, joined_in_time, occurrence

any_birthday = st.dates(date(2000, 1, 1), date(2000, 12, 31)).map(lambda day: (day.month, day.day))


@pytest.mark.parametrize(
    ("year", "leap_on_1_march", "expected"),
    [
        (2027, False, date(2027, 2, 28)),
        (2027, True, date(2027, 3, 1)),
        (2028, False, date(2028, 2, 29)),
        (2028, True, date(2028, 2, 29)),
        (2100, False, date(2100, 2, 28)),
    ],
)
def test_29_february_follows_the_programme_in_common_years_only(
    year: int, leap_on_1_march: bool, expected: date
) -> None:
    assert occurrence(2, 29, year, leap_on_1_march=leap_on_1_march) == expected


@given(any_birthday, st.integers(1970, 2200), st.booleans())
def test_every_year_has_exactly_one_occurrence(birthday: tuple[int, int], year: int, leap_on_1_march: bool) -> None:
    first = date(year, 1, 1)
    length = 366 if months.isleap(year) else 365
    found = [
        day
        for day in (first + timedelta(days=offset) for offset in range(length))
        if birthday in birthdays_on(day, leap_on_1_march=leap_on_1_march)
    ]
    assert found == [occurrence(*birthday, year, leap_on_1_march=leap_on_1_march)]


@pytest.mark.parametrize(
    ("entered", "expected"),
    [
        (None, True),
        (date(2026, 5, 2), True),
        (date(2026, 5, 3), False),
        (date(2026, 6, 1), False),
        (date(2026, 6, 2), False),
    ],
)
def test_a_birthday_entered_less_than_30_days_before_waits_for_next_year(entered: date | None, expected: bool) -> None:
    assert counts(occurs_on=date(2026, 6, 1), entered_on=entered, lock_days=30) is expected
    assert counts(occurs_on=date(2027, 6, 1), entered_on=entered, lock_days=30)


def test_who_joins_on_the_day_takes_part_only_if_the_campaign_says_so() -> None:
    day = date(2026, 6, 1)
    assert joined_in_time(occurs_on=day, joined_on=day - timedelta(days=1), same_day=False)
    assert not joined_in_time(occurs_on=day, joined_on=day, same_day=False)
    assert joined_in_time(occurs_on=day, joined_on=day, same_day=True)
    assert not joined_in_time(occurs_on=day, joined_on=day + timedelta(days=1), same_day=True)

"""Until when a tier is kept, and how long a grace lasts."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from members.tiers import terms
from members.tiers.models import TierSet

LONDON = ZoneInfo("Europe/London")
JOINED = datetime(2024, 5, 20, 12, tzinfo=UTC)


def utc(year, month, day, hour=0, minute=0):
    return datetime(year, month, day, hour, minute, tzinfo=UTC)


@pytest.mark.parametrize(
    ("fields", "reached", "end"),
    [
        # To the end of the month, twelve months on.
        ({}, utc(2026, 3, 10, 12), utc(2027, 3, 31, 23)),
        ({"keep_months": 1}, utc(2024, 1, 31, 12), utc(2024, 3, 1)),
        # Thirty days from 20 July end when 20 August begins: 23:00 UTC of the day before in summer.
        ({"keep": "DAYS", "keep_days": 30}, utc(2026, 7, 20, 12), utc(2026, 8, 19, 23)),
        # The clocks change in between; the end is a local midnight all the same.
        ({"keep": "DAYS", "keep_days": 10}, utc(2026, 3, 25, 12), utc(2026, 4, 4, 23)),
        ({"keep": "PERIOD", "window": "YEAR"}, utc(2026, 3, 10, 12), utc(2027, 1, 1)),
        ({"keep": "NEXT", "window": "YEAR"}, utc(2026, 3, 10, 12), utc(2028, 1, 1)),
        ({"keep": "NEXT", "window": "YEAR"}, utc(2026, 12, 31, 23, 59), utc(2028, 1, 1)),
        ({"keep": "NEXT", "window": "YEAR"}, utc(2027, 1, 1), utc(2029, 1, 1)),
        ({"keep": "PERIOD", "window": "JOINED"}, utc(2026, 3, 10, 12), utc(2026, 5, 19, 23)),
        ({"keep": "NEXT", "window": "JOINED"}, utc(2026, 3, 10, 12), utc(2027, 5, 19, 23)),
    ],
)
def test_a_tier_is_kept_until(fields, reached, end):
    assert terms.keep_end(TierSet(**fields), reached, anchor=JOINED, zone=LONDON) == end


@pytest.mark.parametrize(
    ("fields", "ended", "reviewed", "end"),
    [
        # Who kept the tier by the figures of 2027 keeps it through 2028, however the night runs.
        ({"keep": "NEXT", "window": "YEAR"}, utc(2028, 1, 1), utc(2028, 1, 1, 3), utc(2029, 1, 1)),
        ({"keep": "NEXT", "window": "YEAR"}, utc(2028, 1, 1), utc(2028, 1, 4, 3), utc(2029, 1, 1)),
        # Terms of months do not creep by a month at every review.
        ({}, utc(2027, 3, 31, 23), utc(2027, 4, 1, 2), utc(2028, 3, 31, 23)),
        ({"keep": "DAYS", "keep_days": 30}, utc(2026, 8, 19, 23), utc(2026, 8, 20, 2), utc(2026, 9, 18, 23)),
        # A term that would be over as well begins now.
        ({"keep_months": 1}, utc(2026, 1, 1), utc(2026, 6, 15, 3), utc(2026, 7, 31, 23)),
    ],
)
def test_the_next_term_follows_the_one_that_ended(fields, ended, reviewed, end):
    assert terms.next_term(TierSet(**fields), ended, reviewed, anchor=JOINED, zone=LONDON) == end


@pytest.mark.parametrize(
    ("fields", "reviewed", "end"),
    [
        ({"grace_days": 30}, utc(2026, 4, 1, 2), utc(2026, 4, 30, 23)),
        ({"grace_days": 1}, utc(2026, 1, 1, 3), utc(2026, 1, 2)),
        ({"grace_months": 1}, utc(2026, 1, 31, 3), utc(2026, 2, 28)),
        ({"grace_months": 1, "grace_days": 10}, utc(2026, 1, 1, 3), utc(2026, 2, 11)),
    ],
)
def test_a_grace_counts_from_the_day_of_the_review(fields, reviewed, end):
    assert terms.grace_end(TierSet(**fields), reviewed, LONDON) == end


@pytest.mark.parametrize(
    ("window", "at", "first_day"),
    [
        ("YEAR", utc(2026, 5, 1), "2026-01-01"),
        ("QUARTER", utc(2026, 5, 1), "2026-04-01"),
        ("MONTHS", utc(2026, 5, 1), "2026-01-01"),
        ("JOINED", utc(2026, 5, 1), "2026-01-01"),
    ],
)
def test_gifts_go_by_the_period_of_the_set_or_else_by_the_year(window, at, first_day):
    assert terms.period_of(TierSet(window=window), at, LONDON).isoformat() == first_day

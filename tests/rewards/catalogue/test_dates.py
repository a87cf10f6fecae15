"""The state of an offer, and the stretches of days that offers cover."""

from datetime import date, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rewards.catalogue.dates import Stretch, clipped, coverage, gaps, state_of_offer
from rewards.catalogue.models import Reward
from tests.rewards.factories import NOON

MAY = Stretch(date(2026, 5, 1), date(2026, 5, 31))
HOUR = timedelta(hours=1)
DAYS = st.integers(-10, 45).map(lambda number: MAY.first + timedelta(days=number))


@pytest.mark.parametrize(
    ("fields", "state"),
    [
        ({}, "OFFERED"),
        ({"is_active": False}, "OFF"),
        ({"offered_until": NOON}, "OVER"),
        ({"offered_until": NOON + HOUR}, "OFFERED"),
        ({"visible_from": NOON + HOUR}, "HIDDEN"),
        ({"offered_from": NOON + HOUR}, "COMING"),
        ({"offered_from": NOON, "visible_from": NOON}, "OFFERED"),
    ],
)
def test_the_dates_tell_the_state(fields, state):
    reward = Reward(**fields)
    assert state_of_offer(reward, NOON) == state
    assert reward.is_on_offer(NOON) is (state == "OFFERED")


def test_an_offer_without_dates_fills_the_window():
    assert clipped(None, None, MAY) == MAY
    assert clipped(None, date(2026, 4, 30), MAY) is None


def test_gaps_and_overlaps_are_found():
    offers = [Stretch(date(2026, 5, 3), date(2026, 5, 10)), Stretch(date(2026, 5, 8), date(2026, 5, 20))]
    parts = coverage(offers, MAY)
    assert [(part.stretch.first.day, part.stretch.last.day, part.offered) for part in parts] == [
        (1, 2, 0), (3, 7, 1), (8, 10, 2), (11, 20, 1), (21, 31, 0),
    ]  # fmt: skip
    assert [(gap.first.day, gap.last.day) for gap in gaps(parts)] == [(1, 2), (21, 31)]


@given(st.lists(st.tuples(DAYS, DAYS).map(sorted).map(lambda ends: Stretch(*ends)), max_size=6))
def test_every_day_is_counted_once_and_rightly(offers):
    parts = coverage(offers, MAY)
    counted = {}
    for part in parts:
        for number in range(part.stretch.days):
            day = part.stretch.first + timedelta(days=number)
            assert day not in counted
            counted[day] = part.offered
    assert counted == {
        day: sum(offer.first <= day <= offer.last for offer in offers)
        for day in (MAY.first + timedelta(days=number) for number in range(MAY.days))
    }
    assert all(one.offered != other.offered for one, other in pairwise(parts))

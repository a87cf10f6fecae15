"""Tiers in words."""

import pytest
from django.utils import timezone

from members.tiers.standing import progress
from members.web.tier_words import meter_of, rules_in_words, rungs_in_words
from tests.factories import buy, make_member, make_rule, make_tiers, set_programme

pytestmark = pytest.mark.django_db


def test_points_just_reached_promise_the_tier() -> None:
    make_rule()
    make_tiers()
    member = make_member()
    buy(member, 60000, purchased_at=timezone.now())
    way = progress(member.pk, timezone.now())
    assert way is not None
    meter = meter_of(way)
    assert meter is not None
    assert (meter.value, meter.maximum) == (500, 500)
    assert meter.missing == "You reached Silver; it shows in a moment."


def test_a_ladder_of_money_is_written_in_money() -> None:
    set_programme(currency="TWD")
    make_tiers(basis="SPEND", thresholds=(0, 250000))
    way = progress(make_member().pk, timezone.now())
    assert way is not None
    meter = meter_of(way)
    assert meter is not None
    assert meter.figures == "0 TWD of 250,000 TWD"
    assert rungs_in_words(way)[1].needs == "250,000 TWD in 12 months"
    assert rules_in_words(way.current.tier_set)[0].startswith("What you spend counts")


def test_at_the_top_there_is_no_bar() -> None:
    make_tiers(thresholds=(0,))
    way = progress(make_member().pk, timezone.now())
    assert way is not None
    assert meter_of(way) is None

"""Tiers in words."""

from dataclasses import replace
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from members.accounts.models import Member
from members.tiers.models import Standing, Tier
from members.tiers.recalculation import recalculate
from members.tiers.standing import TierProgress, outlook, progress
from members.tiers.words import outlook_in_words
from members.web.tier_words import further_in_words, meter_of, rules_in_words, rungs_in_words
from tests.factories import buy, make_member, make_rule, make_tiers, make_user, set_programme

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


def silver(**fields: object) -> TierProgress:
    """Return the progress of a member who has been Silver for a moment."""
    make_rule()
    make_tiers(**fields)  # type: ignore[arg-type]
    Tier.objects.filter(code="gold").update(also_purchases=3)
    member = make_member()
    buy(member, 50000, purchased_at=timezone.now())
    recalculate()
    way = progress(member.pk, timezone.now())
    assert way is not None
    return way


@pytest.mark.parametrize(
    ("fields", "needs"),
    [
        ({}, "1,500 points and 3 purchases in 12 months"),
        ({"combine": "ANY"}, "1,500 points or 3 purchases in 12 months"),
        ({"window": "DAYS", "window_days": 90}, "1,500 points and 3 purchases in 90 days"),
        ({"window": "YEAR"}, "1,500 points and 3 purchases in a calendar year"),
        ({"window": "HALF"}, "1,500 points and 3 purchases in a half-year"),
        ({"window": "QUARTER"}, "1,500 points and 3 purchases in a quarter"),
        ({"window": "MONTH"}, "1,500 points and 3 purchases in a calendar month"),
        ({"window": "JOINED"}, "1,500 points and 3 purchases in a year of membership"),
        ({"window": "TIER"}, "1,500 points and 3 purchases in a year of your tier"),
        ({"window": "LIFETIME"}, "1,500 points and 3 purchases in all"),
    ],
)
def test_a_tier_says_all_that_it_asks_for_and_in_which_time(fields: dict[str, object], needs: str) -> None:
    assert rungs_in_words(silver(**fields))[2].needs == needs


def test_what_else_the_next_tier_asks_for_is_listed() -> None:
    assert further_in_words(silver()) == ["1 purchase of 3 purchases"]


@pytest.mark.parametrize(
    ("fields", "kept"),
    [
        ({}, "for at least 12 months."),
        ({"keep": "DAYS", "keep_days": 30}, "for at least 30 days."),
        ({"keep": "PERIOD"}, "to the end of the period."),
        ({"keep": "NEXT"}, "to the end of the next period."),
        ({"drop": "NONE"}, "for ever."),
    ],
)
def test_how_long_a_tier_stays(fields: dict[str, object], kept: str) -> None:
    assert rules_in_words(silver(**fields).current.tier_set)[1].endswith(kept)


def test_a_gift_is_told_with_the_tier() -> None:
    silver()
    Tier.objects.filter(code="gold").update(gift_points=100, gift_en="a pot of tea")
    way = progress(Standing.objects.get().member_id, timezone.now())
    assert way is not None
    assert [rung.gift for rung in rungs_in_words(way)] == ["", "", "Welcome gift: 100 points and a pot of tea"]


def test_what_staying_takes_is_told_until_it_is_done() -> None:
    way = silver(window="YEAR", keep="NEXT")
    member_id = Standing.objects.get().member_id
    told = outlook_in_words(way, outlook(member_id, way))
    assert told is not None
    assert told.asked == ["0 points of 500 points"]
    assert told.sentence.startswith("To keep Silver after 31 December")
    assert told.sentence.endswith("otherwise you will be Blue.")
    rolling = replace(way, keep_until=timezone.now() + timedelta(days=1))
    told = outlook_in_words(rolling, outlook(member_id, rolling))
    assert told is not None
    assert told.asked == []
    assert told.sentence.startswith("You have done enough to keep Silver")


def test_the_pages_tell_it_too(client: Client) -> None:
    way = silver(window="YEAR", keep="NEXT")
    Tier.objects.filter(code="gold").update(gift_points=100)
    member = Member.objects.get()
    member.user = make_user()
    member.save()
    client.force_login(member.user)
    text = client.get("/tiers/").content.decode()
    assert "0 points of 500 points" in text
    assert "1 purchase of 3 purchases" in text
    assert "Welcome gift: 100 points" in text
    assert "1 purchase of 3 purchases" in client.get("/").content.decode()
    Standing.objects.update(grace_until=way.keep_until)
    assert "Reach Silver again by" in client.get("/").content.decode()

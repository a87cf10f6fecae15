"""The reasons why not: machine-readable, complete, and friendly."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.utils import translation

from rewards.catalogue.availability import Facts, Limit, Reason, Why, reasons_against
from rewards.catalogue.wording import explain

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
FINE = Facts(now=NOW, price=100, spendable=100)


def whys(**changes):
    """Return the reasons against facts that differ from fine ones."""
    return [reason.why for reason in reasons_against(replace(FINE, **changes))]


def test_nothing_stands_against_fine_facts():
    assert whys() == []


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"is_member_active": False}, "member_closed"),
        ({"is_switched_on": False}, "not_offered"),
        ({"offered_from": NOW + timedelta(seconds=1)}, "not_yet"),
        ({"offered_until": NOW}, "over"),
        ({"price_seen": 99}, "price_changed"),
        ({"tier_rank": 1, "needed_rank": 2}, "tier"),
        ({"limits": (Limit("DAY", 5, 2), Limit("EVER", 2, 2))}, "limit_reached"),
        ({"is_in_segment": False}, "segment"),
        ({"on_hand": 0}, "sold_out"),
        ({"has_code": False}, "no_codes"),
        ({"spendable": 99}, "points_missing"),
    ],
)
def test_each_fact_alone_gives_its_reason(changes, why):
    assert whys(**changes) == [why]


@pytest.mark.parametrize(
    "changes",
    [
        {"offered_from": NOW},
        {"offered_until": NOW + timedelta(seconds=1)},
        {"price_seen": 100},
        {"tier_rank": 2, "needed_rank": 2},
        {"tier_rank": 3, "needed_rank": 2},
        {"limits": (Limit("DAY", 2, 1),)},
        {"on_hand": 1},
    ],
)
def test_the_borders_are_on_the_member_side(changes):
    assert whys(**changes) == []


def test_every_reason_is_named_and_points_come_last():
    assert whys(on_hand=0, spendable=0, needed_rank=1) == ["tier", "sold_out", "points_missing"]


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("reason", "text"),
    [
        (Reason(Why.POINTS_MISSING, {"missing": 1200}), "1,200 points missing"),
        (Reason(Why.POINTS_MISSING, {"missing": 1}), "1 point missing"),
        (Reason(Why.TIER, {"tier": "Gold"}), "For members from Gold on"),
        (Reason(Why.NOT_YET, {"from": datetime(2026, 4, 30, 23, tzinfo=UTC)}), "From 1 May 2026"),
        (
            Reason(Why.LIMIT_REACHED, {"limit": 2, "period": "MONTH"}),
            "Limit reached: 2 a month for each member",
        ),
        (Reason(Why.LIMIT_REACHED, {"limit": 1, "period": "EVER"}), "Limit reached: 1 for each member"),
        (Reason(Why.PRICE_CHANGED, {"price": 120}), "The price has changed to 120 points"),
        (Reason(Why.SOLD_OUT), "Sold out"),
    ],
)
def test_the_words_carry_the_figures(reason, text):
    with translation.override("en"):
        assert explain(reason) == text


@pytest.mark.django_db
def test_every_reason_has_words():
    figures: dict[str, Any] = {"missing": 1, "tier": "x", "from": NOW, "limit": 1, "period": "EVER", "price": 1}
    assert all(explain(Reason(why, figures)) for why in Why)

"""What each kind needs and allows."""

from datetime import timedelta
from typing import Any

import pytest

from rewards.catalogue import kinds
from rewards.catalogue.checking import problems_of
from tests.rewards.factories import NOON

GOOD: dict[str, dict[str, Any]] = {
    "coupon": {},
    "money_off": {"money_off": 500},
    "percent_off": {"percent_off": 10},
    "gift": {},
    "shipping": {},
    "gift_card": {"money_off": 1000},
    "event": {"starts_at": NOON},
    "online": {"link": "https://example.com/"},
    "donation": {},
    "badge": {},
    "partner": {"partner": 1},
}
FULL = {
    "money_off": 100, "percent_off": 10, "most_off": 100, "minimum_purchase": 5000, "stacking": "ALONE",
    "handover": "COLLECT", "collect_days": 3, "usable_after_days": 1, "valid_days": 9, "link": "https://example.com/",
    "starts_at": NOON, "ends_at": NOON + timedelta(hours=1), "place": "Hall", "needs_code_pool": True,
}  # fmt: skip


def fields(**reward):
    """Return at which fields something is wrong."""
    return {problem.field for problem in problems_of(reward)}


def test_every_kind_is_known_here():
    assert GOOD.keys() == {kind.code for kind in kinds.all_kinds()}
    assert FULL.keys() == kinds.SPECIAL.keys()


@pytest.mark.parametrize("kind", GOOD)
def test_the_least_of_a_kind_is_enough_and_nothing_needed_may_miss(kind):
    assert fields(kind=kind, **GOOD[kind]) == set()
    for missing in GOOD[kind]:
        rest = {name: value for name, value in GOOD[kind].items() if name != missing}
        assert fields(kind=kind, **rest) == {missing}


@pytest.mark.parametrize("kind", GOOD)
@pytest.mark.parametrize("name", FULL)
def test_a_kind_has_only_its_own_fields(kind, name):
    wrong = name in fields(kind=kind, **GOOD[kind] | {name: FULL[name]})
    is_own = name in kinds.kind_of(kind).fields
    assert wrong is not is_own


@pytest.mark.parametrize("kind", ["online", "donation", "badge"])
def test_what_has_no_code_has_no_pool(kind):
    assert not kinds.kind_of(kind).has_code
    assert "needs_code_pool" in fields(kind=kind, needs_code_pool=True, **GOOD[kind])


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"offered_from": NOON, "offered_until": NOON}, "offered_until"),
        ({"visible_from": NOON, "offered_until": NOON}, "visible_from"),
        ({"kind": "event", "starts_at": NOON, "ends_at": NOON}, "ends_at"),
        ({"kind": "event", "starts_at": NOON, "offered_from": NOON}, "offered_from"),
        ({"kind": "event", "starts_at": NOON, "offered_until": NOON + timedelta(hours=1)}, "offered_until"),
        ({"money_price": 0}, "money_price"),
        ({"kind": "money_off", "money_off": 500, "minimum_purchase": 499}, "minimum_purchase"),
        ({"kind": "money_off", "money_off": 0}, "money_off"),
    ],
)
def test_what_hangs_together_is_checked(wrong, field):
    assert fields(**{"kind": "coupon"} | wrong) == {field}


def test_points_and_money_go_with_every_kind():
    for kind, least in GOOD.items():
        assert fields(kind=kind, money_price=500, **least) == set()


def test_a_new_kind_names_only_fields_that_there_are():
    kind = kinds.kind_of("coupon")
    with pytest.raises(AssertionError):
        kinds.register(kinds.Kind(**{**kind.__dict__, "code": "odd", "needs": frozenset({"colour"})}))

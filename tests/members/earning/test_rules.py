"""Earning arithmetic."""

from datetime import UTC, datetime
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from members.earning.reckoning import evaluate
from members.earning.rules import Line, Rule, Terms, points_to_revoke

AT = datetime(2026, 6, 15, tzinfo=UTC)


def rule(**fields):
    base = {
        "id": 1,
        "names": {"en": "Base"},
        "currency": "GBP",
        "points": 1,
        "per_amount": 100,
        "whole_steps": True,
    }
    return Rule(**base | fields)


def points(amount, *rules, multiplier=1, **fields):
    lines = fields.pop("lines", [Line("TEA", "", amount)])
    terms = Terms(Fraction(multiplier))
    return evaluate(
        lines=lines,
        currency=fields.get("currency", "GBP"),
        purchased_at=fields.get("at", AT),
        rules=rules,
        terms=terms,
    ).points


def test_whole_steps_drop_what_is_not_a_whole_step():
    assert points(1999, rule()) == 19


def test_whole_steps_of_two_fifty_give_five_points_once_for_three_pounds():
    assert points(300, rule(points=5, per_amount=250)) == 5


def test_in_proportion_the_sum_is_rounded_down_once():
    assert points(1999, rule(whole_steps=False)) == 19
    assert points(300, rule(points=5, per_amount=250, whole_steps=False)) == 6


@pytest.mark.parametrize(("multiplier", "expected"), [(Fraction(3, 2), 28), (Fraction("1.25"), 23), (2, 38)])
def test_the_tier_multiplies_before_rounding(multiplier, expected):
    assert points(1999, rule(), multiplier=multiplier) == expected


def test_a_rule_can_leave_the_tier_out():
    assert points(1999, rule(tier_multiplier=False), multiplier=2) == 19


def test_rules_add_up_and_are_rounded_together():
    half = rule(points=1, per_amount=200, whole_steps=False)
    assert points(100, half, rule(id=2, points=1, per_amount=200, whole_steps=False)) == 1


def test_the_minimum_counts_the_whole_purchase_and_is_met_exactly():
    assert points(4999, rule(minimum_amount=5000)) == 0
    assert points(5000, rule(minimum_amount=5000)) == 50


def test_excluded_articles_and_categories_earn_nothing():
    lines = [Line("TEA", "drinks", 1000), Line("BAG", "", 500), Line("GIFT", "cards", 5000)]
    chosen = rule(excluded_skus=frozenset({"BAG"}), excluded_categories=frozenset({"cards"}))
    assert points(0, chosen, lines=lines) == 10


def test_a_rule_for_categories_counts_only_those():
    lines = [Line("TEA", "drinks", 1000), Line("CUP", "ware", 500)]
    assert points(0, rule(only_categories=frozenset({"ware"})), lines=lines) == 5


def test_another_currency_earns_nothing():
    assert points(1999, rule(), currency="EUR") == 0


def test_a_rule_holds_from_its_start_until_just_before_its_end():
    spring = rule(valid_from=AT, valid_until=datetime(2026, 7, 1, tzinfo=UTC))
    assert points(1999, spring) == 19
    assert points(1999, spring, at=datetime(2026, 7, 1, tzinfo=UTC)) == 0
    assert points(1999, spring, at=datetime(2026, 6, 14, tzinfo=UTC)) == 0


def test_the_breakdown_tells_which_lines_no_rule_counts():
    lines = [Line("TEA", "", 1000), Line("BAG", "", 500)]
    outcome = evaluate(
        lines=lines,
        currency="GBP",
        purchased_at=AT,
        rules=[rule(excluded_skus=frozenset({"BAG"}))],
        terms=Terms(),
    )
    assert outcome.breakdown["left_out"] == [1]


def test_a_rule_whose_minimum_was_not_met_lets_no_line_earn():
    lines = [Line("TEA", "tea", 1000), Line("CUP", "", 500)]
    rules = [rule(minimum_amount=5000), rule(id=2, only_categories=frozenset({"tea"}))]
    outcome = evaluate(lines=lines, currency="GBP", purchased_at=AT, rules=rules, terms=Terms())
    assert (outcome.points, outcome.breakdown["left_out"]) == (10, [1])


amounts = st.integers(min_value=0, max_value=10**9)


@given(amounts, amounts)
def test_splitting_a_purchase_never_earns_more(first, second):
    assert points(first, rule()) + points(second, rule()) <= points(first + second, rule())


def revoke_all(earned, parts):
    revoked, returned, total = 0, 0, sum(parts)
    for part in parts:
        returned += part
        revoked += points_to_revoke(earned=earned, original=total, returned=Fraction(returned), revoked_before=revoked)
    return revoked


def test_three_thirds_of_a_hundred_points_take_a_hundred():
    assert revoke_all(100, [1, 1, 1]) == 100


@given(st.integers(min_value=0, max_value=10**6), st.lists(st.integers(min_value=1, max_value=10**6), min_size=1))
def test_all_partial_returns_together_take_exactly_what_was_earned(earned, parts):
    assert revoke_all(earned, parts) == earned


def test_half_a_point_rounds_up():
    assert points_to_revoke(earned=5, original=2, returned=Fraction(1), revoked_before=0) == 3


def test_a_purchase_that_cost_nothing_gives_nothing_back():
    assert points_to_revoke(earned=0, original=0, returned=Fraction(0), revoked_before=0) == 0

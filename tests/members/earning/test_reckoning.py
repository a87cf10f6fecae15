"""What rules give: kinds, conditions, amounts, stacking and rounding. Every figure can be checked on paper."""

from datetime import UTC, datetime, time, timedelta
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from members.earning.rounding import apportion, round_points
from members.earning.rules import LotTerms, Terms
from tests.members.earning.making import AT, line, outcome, points, rule, times, why

GOLD = Terms(Fraction(3, 2), {"en": "Gold"}, "gold", 2)


# Kinds


def test_points_per_item_count_the_quantity():
    bought = [line(500, quantity=3), line(900, sku="CUP", quantity=2)]
    assert points(rule(kind="ITEM", points=5, only_skus=frozenset({"TEA"})), lines=bought) == 15


def test_points_per_purchase_are_given_once_whatever_it_cost():
    assert points(rule(kind="PURCHASE", points=50), lines=[line(1), line(1)]) == 50


def test_points_per_purchase_need_one_line_that_counts():
    only_tea = rule(kind="PURCHASE", points=50, only_categories=frozenset({"tea"}))
    assert points(only_tea, lines=[line(100, category="tea"), line(100)]) == 50
    assert points(only_tea, lines=[line(100)]) == 0


def test_a_multiplier_multiplies_what_the_others_give():
    """19 × 2 = 38."""
    assert points(rule(), times(2)) == 38


def test_a_multiplier_for_an_article_multiplies_the_points_of_its_lines_alone():
    """10.00 of tea twice and 5.00 of the rest once: 20 + 5."""
    bought = [line(1000, category="tea"), line(500)]
    assert points(rule(), times(2, only_categories=frozenset({"tea"})), lines=bought) == 25


def test_a_multiplier_alone_gives_nothing():
    assert points(times(3)) == 0


def test_the_tier_multiplies_items_and_purchases_too_unless_the_rule_leaves_it_out():
    assert points(rule(kind="PURCHASE", points=10), terms=GOLD) == 15
    assert points(rule(kind="ITEM", points=10), terms=GOLD) == 15
    assert points(rule(kind="ITEM", points=10, tier_multiplier=False), terms=GOLD) == 10


# Conditions


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"only_skus": frozenset({"TEA"})}, 10),
        ({"excluded_skus": frozenset({"TEA"})}, 7),
        ({"only_brands": frozenset({"Ash"})}, 7),
        ({"excluded_brands": frozenset({"Ash"})}, 10),
        ({"only_categories": frozenset({"tea"})}, 10),
        ({"excluded_categories": frozenset({"tea"})}, 7),
        ({"only_categories": frozenset({"tea", "drinks"}), "only_skus": frozenset({"TEA", "CUP"})}, 10),
        ({"only_skus": frozenset({"TEA"}), "only_brands": frozenset({"Ash"})}, 0),
    ],
)
def test_a_rule_looks_at_articles_categories_and_brands(fields, expected):
    """A line that matches in several ways counts once."""
    bought = [line(1000, category="tea", brand="Elm"), line(700, sku="CUP", category="ware", brand="Ash")]
    assert points(rule(**fields), lines=bought) == expected


def test_a_rule_may_be_for_some_stores_only_or_for_all_but_some():
    assert points(rule(only_stores=frozenset({7})), store_id=7) == 19
    assert why(rule(only_stores=frozenset({7})), store_id=8) == {1: "store"}
    assert why(rule(only_stores=frozenset({7}))) == {1: "store"}
    assert why(rule(excluded_stores=frozenset({7})), store_id=7) == {1: "store"}
    assert points(rule(excluded_stores=frozenset({7}))) == 19


def test_weekdays_are_those_of_the_programmes_zone():
    """23:30 UTC on Sunday 14 June is already Monday in London summer time."""
    monday = rule(weekdays=frozenset({1}))
    assert points(monday, at=datetime(2026, 6, 14, 23, 30, tzinfo=UTC)) == 19
    assert why(monday, at=datetime(2026, 6, 14, 22, 30, tzinfo=UTC)) == {1: "weekday"}


@pytest.mark.parametrize(
    ("at", "counts"),
    [
        (datetime(2026, 6, 15, 15, 59, tzinfo=UTC), False),  # 16:59 in summer
        (datetime(2026, 6, 15, 16, 0, tzinfo=UTC), True),
        (datetime(2026, 6, 15, 17, 59, tzinfo=UTC), True),
        (datetime(2026, 6, 15, 18, 0, tzinfo=UTC), False),  # 19:00: the end is exclusive
        (datetime(2026, 1, 15, 16, 0, tzinfo=UTC), False),  # winter: 16:00
        (datetime(2026, 1, 15, 17, 0, tzinfo=UTC), True),
    ],
)
def test_happy_hour_is_the_wall_clock_in_summer_and_winter(at, counts):
    happy = rule(hours_from=time(17), hours_until=time(19))
    assert why(happy, at=at) == ({} if counts else {1: "hours"})


@pytest.mark.parametrize(
    ("at", "local"),
    [
        (datetime(2026, 10, 25, 0, 30, tzinfo=UTC), "01:30 the first time"),
        (datetime(2026, 10, 25, 1, 30, tzinfo=UTC), "01:30 again, after the clocks went back"),
    ],
)
def test_an_hour_that_happens_twice_counts_twice(at, local):
    night = rule(hours_from=time(1), hours_until=time(2))
    assert points(night, at=at) == 19, local


def test_an_hour_that_the_change_of_clocks_skips_counts_nothing():
    """On 29 March 2026 London goes from 01:00 to 02:00: nothing was bought between."""
    skipped = rule(hours_from=time(1), hours_until=time(2))
    before = datetime(2026, 3, 29, 0, 59, tzinfo=UTC)
    assert why(skipped, at=before) == why(skipped, at=before + timedelta(minutes=1)) == {1: "hours"}


@pytest.mark.parametrize(("hour", "counts"), [(21, False), (22, True), (23, True), (0, True), (1, True), (2, False)])
def test_hours_may_go_over_midnight(hour, counts):
    late = rule(hours_from=time(22), hours_until=time(2))
    assert (points(late, at=datetime(2026, 1, 15, hour, tzinfo=UTC)) > 0) is counts


def test_hours_without_an_end_go_to_midnight_and_without_a_start_from_midnight():
    assert points(rule(hours_from=time(22)), at=datetime(2026, 1, 15, 23, 59, tzinfo=UTC)) == 19
    assert points(rule(hours_from=time(22)), at=datetime(2026, 1, 15, 0, 0, tzinfo=UTC)) == 0
    assert points(rule(hours_until=time(9)), at=datetime(2026, 1, 15, 0, 0, tzinfo=UTC)) == 19
    assert points(rule(hours_until=time(9)), at=datetime(2026, 1, 15, 9, 0, tzinfo=UTC)) == 0


def test_a_rule_may_be_for_chosen_tiers_or_from_a_rank_up():
    assert points(rule(tiers=frozenset({"gold"}), tier_multiplier=False), terms=GOLD) == 19
    assert why(rule(tiers=frozenset({"blue"})), terms=GOLD) == {1: "tier"}
    assert points(rule(minimum_rank=2, tier_multiplier=False), terms=GOLD) == 19
    assert why(rule(minimum_rank=3), terms=GOLD) == {1: "tier"}


def test_a_rule_may_be_for_members_of_one_of_some_segments():
    gated = rule(segments=frozenset({"lapsing", "new"}))
    assert points(gated, terms=Terms(segments=frozenset({"new"}))) == 19
    assert why(gated) == {1: "segment"}


def test_a_rule_of_another_currency_does_not_apply_and_one_without_currency_applies_to_all():
    """R64: earn by currency rule if there is one."""
    assert why(rule(currency="EUR")) == {1: "currency"}
    assert points(rule(kind="PURCHASE", currency="", points=5), currency="JPY") == 5


def test_dates_that_are_far_away_are_not_worth_telling():
    soon, later = (rule(valid_from=AT + timedelta(days=days)) for days in (10, 40))
    just_over, over = (rule(valid_until=AT - timedelta(days=days)) for days in (10, 40))
    assert [why(each) for each in (soon, later, just_over, over)] == [{1: "dates"}, {}, {1: "dates"}, {}]


@pytest.mark.parametrize(
    "broken",
    [
        {"per_amount": 0},
        {"kind": "MULTIPLIER", "multiplier": Fraction(1, 2)},
        {"kind": "RAFFLE"},
        {"points": -5},
        {"kind": "ITEM", "points": -5},
    ],
)
def test_a_rule_that_cannot_be_evaluated_is_skipped_and_the_others_still_give(broken):
    """Wrong configuration never stops a till."""
    assert why(rule(id=2, **broken), rule()) == {2: "configuration"}
    assert points(rule(id=2, **broken), rule()) == 19


# Amounts


TAXED = [line(1200, tax=200), line(600, sku="CUP", tax=100)]


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"only_skus": frozenset({"TEA"})}, 12),
        ({"only_skus": frozenset({"TEA"}), "with_tax": False}, 10),
        ({"only_skus": frozenset({"TEA"}), "whole_purchase": True}, 22),
        ({"only_skus": frozenset({"TEA"}), "whole_purchase": True, "with_tax": False}, 19),
        ({"only_skus": frozenset({"TEA"}), "whole_purchase": True, "counts_shipping": False}, 18),
        ({"only_skus": frozenset({"BAG"}), "whole_purchase": True}, 0),
    ],
)
def test_the_amount_is_one_of_four_lines_or_purchase_with_or_without_tax(fields, expected):
    """R15. Tea 12.00 with 2.00 tax, a cup 6.00 with 1.00 tax, shipping 4.00."""
    assert points(rule(**fields), lines=TAXED, shipping=400) == expected


def test_before_the_discount_the_full_price_counts():
    """A discount of 10 % off 100.00 lowers the base to 90 unless the rule counts it."""
    bought = [line(9000, discount=1000)]
    assert points(rule(), lines=bought) == 90
    assert points(rule(before_discount=True), lines=bought) == 100


def test_the_tax_of_a_discount_is_taken_off_in_the_same_rate():
    """90.00 with 15.00 tax after 10.00 discount: 100 × 75 / 90 = 83.33 without tax before discount."""
    bought = [line(9000, tax=1500, discount=1000)]
    assert points(rule(before_discount=True, with_tax=False), lines=bought) == 83
    gift = [line(0, tax=0, discount=1000)]
    assert points(rule(before_discount=True, with_tax=False), lines=gift) == 10


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, 100),
        ({"counts_points_paid": False}, 90),
        ({"counts_gift_card": False}, 80),
        ({"counts_points_paid": False, "counts_gift_card": False}, 70),
    ],
)
def test_what_was_paid_with_points_or_gift_card_may_be_left_out(fields, expected):
    """R15: of 100.00, 10.00 are paid with points and 20.00 by gift card."""
    assert points(rule(**fields), amount=10000, points_paid=1000, gift_card_paid=2000) == expected


def test_the_paid_part_is_taken_off_all_lines_in_proportion():
    """Half of 40.00 is paid with points: the tea of 10.00 counts with 5.00."""
    tea = rule(counts_points_paid=False, only_skus=frozenset({"TEA"}))
    assert points(tea, lines=[line(1000), line(3000, sku="CUP")], points_paid=2000) == 5


def test_a_paid_part_of_a_third_stays_exact_until_the_end():
    """A third of 1.00 off leaves 2/3 of a point; three such rules give exactly 2."""
    thirds = [rule(id=number, counts_points_paid=False, whole_steps=False) for number in (1, 2, 3)]
    assert points(*thirds, amount=300, points_paid=100) == 6
    assert points(*thirds, amount=100, points_paid=50) == 1


@pytest.mark.parametrize(
    "told",
    [{"points_paid": 99999}, {"gift_card_paid": 99999, "points_paid": 1}],
)
def test_more_paid_than_bought_counts_as_nothing_and_is_told(told):
    found = outcome(rule(counts_points_paid=False, counts_gift_card=False), **told)
    assert found.points == 0
    assert "clamped" in found.breakdown["rules"][0]["notes"]


def test_more_tax_than_amount_counts_as_nothing_and_is_told():
    found = outcome(rule(with_tax=False), lines=[line(100, tax=500), line(900, tax=0)])
    assert found.points == 9
    assert found.breakdown["rules"][0]["notes"] == ["tax", "clamped"]


# Stacking


def group(mode, *rules):
    return [rule(**{"group": "g", "group_mode": mode} | fields) for fields in rules]


TEN, TWENTY, THIRTY = ({"kind": "PURCHASE", "id": n, "points": n, "names": {"en": str(n)}} for n in (10, 20, 30))


def test_rules_without_group_and_groups_that_add_add_up():
    assert points(*group("ADD", TEN, TWENTY), rule(id=3)) == 10 + 20 + 19


def test_in_a_group_of_the_first_the_highest_priority_gives_alone():
    rules = group("FIRST", TEN | {"priority": 5}, TWENTY, THIRTY)
    found = outcome(*rules, rule(id=3))
    assert found.points == 10 + 19
    lost = [(each["rule"], each["why"], each["winner"]["en"]) for each in found.breakdown["skipped"]]
    assert lost == [(20, "stacking", "10"), (30, "stacking", "10")]


def test_the_first_that_applies_wins_not_the_first_that_exists():
    gated = TEN | {"priority": 5, "minimum_amount": 5000}
    no_line = TWENTY | {"priority": 4, "only_skus": frozenset({"BAG"})}
    assert points(*group("FIRST", gated, no_line, THIRTY)) == 30


def test_in_a_group_of_the_best_the_one_that_gives_most_gives_alone():
    assert points(*group("BEST", TEN, THIRTY, TWENTY)) == 30


def test_of_equally_good_rules_the_highest_priority_wins():
    found = outcome(*group("BEST", TEN, TWENTY | {"points": 10, "priority": 1}))
    assert [step["rule"] for step in found.breakdown["rules"]] == [20]


def test_two_groups_do_not_disturb_each_other():
    other = [rule(**TEN | {"id": 40, "group": "h", "group_mode": "FIRST"})]
    assert points(*group("BEST", TEN, TWENTY), *other) == 30


def test_the_rule_of_the_highest_priority_says_how_the_group_stacks():
    rules = [rule(**TEN, group="g", group_mode="ADD"), rule(**TWENTY, group="g", group_mode="FIRST", priority=1)]
    assert points(*rules) == 20


def test_multipliers_chain():
    """19 × 2 × 1.5 = 57."""
    assert points(rule(), times(2), times("1.5", id=91)) == 57


def test_multipliers_of_one_group_can_exclude_each_other():
    """Double and triple in one group: the best multiplies alone."""
    assert points(rule(), *[times(n, id=n, group="m", group_mode="BEST") for n in (2, 3)]) == 57
    assert points(rule(), *[times(n, id=n, group="m", group_mode="FIRST") for n in (2, 3)]) == 38


def test_status_points_are_reckoned_apart():
    """19 points to spend; 19 × 2 status points, which the multiplier of spendable points does not touch."""
    found = outcome(rule(), rule(id=2, points=2, point_type="STATUS"), times(3))
    assert (found.points, found.status_points) == (57, 38)
    assert found.breakdown["status"]["points"] == 38


# Rounding


@pytest.mark.parametrize(("how", "expected"), [("FLOOR", 28), ("NEAREST", 29), ("CEILING", 29)])
def test_the_sum_is_rounded_once_after_the_multipliers(how, expected):
    """R13: 19.99 → 19 × 1.5 = 28.5 → 28 / 29 / 29."""
    assert points(rule(), terms=GOLD, rounding=how) == expected
    assert points(rule(), times("1.5"), rounding=how) == expected


@pytest.mark.parametrize(
    ("value", "floor", "nearest", "ceiling"),
    [("28", 28, 28, 28), ("28.1", 28, 28, 29), ("28.49", 28, 28, 29), ("28.5", 28, 29, 29), ("0", 0, 0, 0)],
)
def test_rounding_at_its_boundaries(value, floor, nearest, ceiling):
    exact = Fraction(value)
    assert [round_points(exact, how) for how in ("FLOOR", "NEAREST", "CEILING")] == [floor, nearest, ceiling]


def test_whole_steps_or_proportion_is_a_choice_of_the_rule():
    """R12: 5 points per 2.50 for 3.00: 5 in whole steps, 6 in proportion."""
    assert points(rule(points=5, per_amount=250), amount=300) == 5
    assert points(rule(points=5, per_amount=250, whole_steps=False), amount=300) == 6


# What is kept for returns


def test_where_points_follow_the_amounts_nothing_more_is_kept():
    found = outcome(rule(), times(2), lines=[line(1000), line(500)], apart=True).breakdown
    assert "line_points" not in found
    assert found["left_out"] == []


def test_where_lines_earn_differently_the_points_of_each_are_kept():
    bought = [line(1000, category="tea"), line(500), line(300, sku="BAG")]
    double = rule(id=2, only_categories=frozenset({"tea"}))
    found = outcome(rule(excluded_skus=frozenset({"BAG"})), double, lines=bought).breakdown
    assert (found["line_points"], found["left_out"], found["sum"]) == (["20", "5", "0"], [2], "25")


def test_points_of_the_whole_purchase_are_kept_apart_from_those_of_lines():
    found = outcome(rule(), rule(id=2, kind="PURCHASE", points=5), lines=[line(1000), line(500)]).breakdown
    assert (found["line_points"], found["whole_points"], found["sum"]) == (["10", "5"], "5", "20")


def test_points_of_shipping_belong_to_the_whole_purchase():
    found = outcome(rule(whole_purchase=True), lines=[line(1500)], shipping=500).breakdown
    assert (found["line_points"], found["whole_points"]) == (["15"], "5")


# Laws


amounts = st.integers(min_value=0, max_value=10**7)
fractions = st.fractions(min_value=1, max_value=5, max_denominator=8)
lots = st.builds(LotTerms, st.integers(0, 2), st.just(""), st.sampled_from([None, "never", 3]))


@st.composite
def bought_lines(draw):
    return [
        line(
            draw(amounts),
            sku=draw(st.sampled_from(["TEA", "CUP", "BAG"])),
            category=draw(st.sampled_from(["tea", "ware", ""])),
            quantity=draw(st.integers(1, 5)),
        )
        for _ in range(draw(st.integers(1, 4)))
    ]


@st.composite
def some_rules(draw, *, monotone=False):
    rules = []
    for number in range(1, draw(st.integers(1, 5)) + 1):
        kind = draw(st.sampled_from(["AMOUNT", "ITEM", "PURCHASE", "MULTIPLIER"]))
        fields = {
            "id": number,
            "kind": kind,
            "points": draw(st.integers(0, 7)),
            "per_amount": draw(st.sampled_from([1, 7, 100, 250])),
            "whole_steps": draw(st.booleans()),
            "multiplier": draw(fractions),
            "only_categories": draw(st.sampled_from([frozenset(), frozenset({"tea"})])),
            "tier_multiplier": draw(st.booleans()),
            "whole_purchase": draw(st.booleans()),
            "lot": draw(lots),
        }
        if not monotone:
            fields |= {
                "point_type": draw(st.sampled_from(["SPENDABLE", "STATUS"])),
                "group": draw(st.sampled_from(["", "g"])),
                "group_mode": draw(st.sampled_from(["ADD", "FIRST", "BEST"])),
                "priority": draw(st.integers(0, 2)),
                "counts_points_paid": draw(st.booleans()),
            }
        rules.append(rule(**fields))
    return rules


roundings = st.sampled_from(["FLOOR", "NEAREST", "CEILING"])


@settings(max_examples=200)
@given(some_rules(), bought_lines(), roundings, st.integers(0, 10**6))
def test_points_of_lines_and_purchase_add_up_to_the_sum_and_shares_to_the_points(rules, bought, rounding, paid):
    found = outcome(*rules, lines=bought, terms=GOLD, rounding=rounding, points_paid=paid, shipping=499)
    parts = {"SPENDABLE": (found.breakdown, found.points)}
    if "status" in found.breakdown:
        parts["STATUS"] = (found.breakdown["status"], found.status_points)
    for kind, (kept, whole) in parts.items():
        assert whole == round_points(Fraction(kept["sum"]), rounding)
        if "line_points" in kept:
            told = [Fraction(each) for each in kept["line_points"]]
            assert sum(told) + Fraction(kept.get("whole_points", "0")) == Fraction(kept["sum"])
        else:
            assert "whole_points" not in kept
        if found.shares:
            assert sum(share.points for share in found.shares if share.point_type == kind) == whole


@settings(max_examples=100)
@given(some_rules(), bought_lines(), st.randoms())
def test_the_order_in_which_rules_are_listed_does_not_matter(rules, bought, chance):
    shuffled = list(rules)
    chance.shuffle(shuffled)
    first, second = (outcome(*each, lines=bought, terms=GOLD) for each in (rules, shuffled))
    assert (first.points, first.status_points) == (second.points, second.status_points)


@settings(max_examples=100)
@given(some_rules(monotone=True), bought_lines(), st.integers(0, 3), st.integers(1, 10**5), roundings)
def test_more_money_never_earns_less(rules, bought, place, more, rounding):
    dearer = list(bought)
    grown = bought[place % len(bought)]
    dearer[place % len(bought)] = line(grown.amount + more, grown.sku, grown.category, quantity=grown.quantity)
    less, most = (outcome(*rules, lines=each, terms=GOLD, rounding=rounding).points for each in (bought, dearer))
    assert less <= most


@settings(max_examples=100)
@given(some_rules(), bought_lines())
def test_a_multiplier_of_one_changes_nothing(rules, bought):
    assert points(*rules, lines=bought) == points(*rules, times(1), lines=bought)


@settings(max_examples=100)
@given(bought_lines(), st.booleans(), roundings, st.sampled_from([frozenset(), frozenset({"tea"})]))
def test_the_short_way_and_the_long_way_agree(bought, whole_steps, rounding, only):
    base = rule(whole_steps=whole_steps, only_categories=only)
    short, long = (outcome(base, lines=bought, terms=GOLD, rounding=rounding, apart=apart) for apart in (False, True))
    assert short.breakdown == long.breakdown
    assert short.shares == ()


@given(st.integers(0, 1000), st.lists(st.fractions(min_value=0, max_value=50, max_denominator=9), min_size=1))
def test_parts_by_largest_remainder_add_up_and_are_off_by_less_than_one(whole, weights):
    parts = apportion(whole, weights)
    if sum(weights) == 0:
        assert sum(parts) == 0
        return
    assert sum(parts) == whole
    assert all(
        abs(part - Fraction(whole * weight) / sum(weights)) < 1 for part, weight in zip(parts, weights, strict=True)
    )

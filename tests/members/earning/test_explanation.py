"""The reasons, in words."""

from datetime import UTC, datetime, time
from fractions import Fraction

import pytest
from django.utils.translation import override

from members.earning.caps import Cap, Limit, capped_outcome
from members.earning.evaluation import forget_compiled
from members.earning.explanation import describes, explain, explain_earning
from members.earning.rules import Terms
from members.ledger import posting
from members.ledger.models import PointsEntry
from members.tiers.models import Tier
from members.tiers.recalculation import recalculate
from tests.factories import NOW, buy, give, make_member, make_rule, make_tiers, set_programme
from tests.members.earning.making import line, outcome, rule, times

pytestmark = pytest.mark.django_db


def explained(recorded):
    return explain(PointsEntry.objects.get(pk=recorded.entry_id))


def test_a_plain_purchase_says_rule_base_and_rate():
    make_rule()
    assert explained(buy(make_member())) == ["Base rate: 19.99 GBP at 1 per 1.00 GBP = 19."]


def test_a_tier_names_its_multiplier_and_the_rounding():
    make_rule()
    make_tiers(thresholds=(0, 10))
    member = make_member()
    buy(member, amount=5000)
    recalculate()
    Tier.objects.filter(rank=1).update(multiplier="1.5")
    forget_compiled()
    recorded = buy(member, purchased_at=NOW.replace(year=2099))
    assert explained(recorded) == [
        "Base rate: 19.99 GBP at 1 per 1.00 GBP = 19 steps × 1.5 Silver = 28.5.",
        "28.5 is rounded down to 28.",
    ]


def test_the_wording_of_that_day_stays_when_the_rule_is_renamed():
    rule = make_rule()
    recorded = buy(make_member())
    rule.name_en = "Autumn rate"
    rule.save()
    assert explained(recorded)[0].startswith("Base rate")


def test_a_rule_that_did_not_apply_says_what_it_needs():
    make_rule(minimum_amount=5000)
    assert explained(buy(make_member())) == ["Base rate: applies from 50.00 GBP."]


def test_a_reason_code_becomes_its_sentence_and_free_text_stays():
    describes("test-reason")(lambda data: "A sentence.")
    member = make_member()
    coded = posting.grant(member_id=member.pk, points=1, key="a", reason="test-reason")
    assert explain(coded) == ["A sentence."]
    assert explain(give(member, 1)) == ["gift"]


def test_a_shortfall_is_told():
    set_programme(debt_policy="CLAMP")
    entry = posting.take_back(member_id=make_member().pk, points=5, key="t", reason="return")
    assert "5 more were due but already used; the balance stops at zero." in explain(entry)


def test_a_rule_that_found_nothing_to_count_is_not_mentioned():
    make_rule()
    make_rule(name_en="Tea counts double", only_categories=["tea"])
    assert explained(buy(make_member())) == ["Base rate: 19.99 GBP at 1 per 1.00 GBP = 19."]


# Every kind of rule, and every reason why not: no database but the programme's zone


def said(*rules, **fields):
    return explain_earning(outcome(*rules, **fields).breakdown, everything=True)


def test_items_purchases_and_multipliers_say_how_many_times_what():
    rules = [
        rule(names={"en": "Tea points"}, kind="ITEM", points=5),
        rule(id=2, names={"en": "Thanks"}, kind="PURCHASE", points=10),
        times(2, names={"en": "Double week"}),
    ]
    assert said(*rules, lines=[line(100, quantity=3)]) == [
        "Tea points: 3 × 5 = 15.",
        "Thanks: 10 for this purchase.",
        "Double week: 25 × 2, that is 25 more.",
    ]


def test_the_tier_is_named_with_its_factor():
    gold = Terms(Fraction(3, 2), {"en": "Gold"}, "gold", 2)
    rules = [
        rule(names={"en": "Tea points"}, kind="ITEM", points=5),
        rule(id=2, names={"en": "Thanks"}, kind="PURCHASE", points=10),
        rule(id=3, names={"en": "Base"}, points=3),
    ]
    assert said(*rules, terms=gold)[:3] == [
        "Tea points: 1 × 5 × 1.5 Gold = 7.5.",
        "Thanks: 10 for this purchase × 1.5 Gold = 15.",
        "Base: 19.99 GBP at 3 per 1.00 GBP = 19 steps × 3 × 1.5 Gold = 85.5.",
    ]


def test_what_was_taken_off_the_amount_is_said():
    net = rule(with_tax=False, counts_points_paid=False)
    assert said(net, lines=[line(1200, tax=200)], points_paid=600) == [
        "Base: 5.00 GBP at 1 per 1.00 GBP = 5. (without tax, without what was paid with points)"
    ]


def test_an_amount_that_was_more_than_used_up_is_said():
    (sentence,) = said(rule(id=2, kind="PURCHASE"), rule(counts_gift_card=False), gift_card_paid=99999)[:1]
    assert sentence == "Base: 1 for this purchase."
    found = outcome(rule(with_tax=False), lines=[line(100, tax=500), line(900, tax=0)]).breakdown
    assert "more was taken off than there was; it counts as nothing" in explain_earning(found)[0]


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"minimum_amount": 5000}, "Base: applies from 50.00 GBP."),
        ({"weekdays": frozenset({6, 7})}, "Base: only on Saturday, Sunday."),
        ({"hours_from": time(17), "hours_until": time(19)}, "Base: only from 17:00 to 19:00."),
        ({"tiers": frozenset({"gold"})}, "Base: for other tiers."),
        ({"segments": frozenset({"new"})}, "Base: for invited members."),
        ({"only_stores": frozenset({7})}, "Base: not in this store."),
        ({"currency": "EUR"}, "Base: only for purchases in EUR."),
        ({"per_amount": 0}, "Base: is not set up rightly and was left out."),
        ({"valid_from": datetime(2026, 6, 30, 23, 0, tzinfo=UTC)}, "Base: from 1 July 2026."),
        ({"valid_until": datetime(2026, 5, 31, 23, 0, tzinfo=UTC)}, "Base: until 31 May 2026."),
        (
            {
                "valid_from": datetime(2026, 6, 30, 23, 0, tzinfo=UTC),
                "valid_until": datetime(2026, 7, 31, 23, 0, tzinfo=UTC),
            },
            "Base: from 1 July 2026 to 31 July 2026.",
        ),
    ],
)
def test_a_rule_that_did_not_apply_says_why(fields, sentence):
    assert said(rule(**fields)) == [sentence]


def test_a_rule_that_lost_in_its_group_names_the_winner():
    rules = [rule(id=n, points=n, names={"en": f"Rule {n}"}, group="g", group_mode="BEST") for n in (1, 2)]
    assert said(*rules)[-1] == "Rule 1: does not add to “Rule 2”."


def test_where_something_was_earned_what_was_not_meant_for_the_member_stays_unsaid():
    breakdown = outcome(rule(), rule(id=2, segments=frozenset({"lapsing"}))).breakdown
    assert explain_earning(breakdown) == ["Base: 19.99 GBP at 1 per 1.00 GBP = 19."]
    assert explain_earning(breakdown, everything=True)[1] == "Base: for invited members."


@pytest.mark.parametrize(
    ("rounding", "sentence"),
    [
        ("FLOOR", "28.5 is rounded down to 28."),
        ("NEAREST", "28.5 is rounded to 29."),
        ("CEILING", "28.5 is rounded up to 29."),
    ],
)
def test_the_rounding_is_said(rounding, sentence):
    assert said(rule(), times("1.5"), rounding=rounding)[-1] == sentence


def test_nineteen_ninety_nine_of_a_gold_member_capped_in_july():
    """19.99 → 19 whole steps × 1.5 Gold = 28.5 → 28, capped to 25 by “July cap”."""
    gold = Terms(Fraction(3, 2), {"en": "Gold"}, "gold", 2)
    found = outcome(rule(), terms=gold, apart=True)
    july = Limit(Cap(1, {"en": "July cap"}, 25, "PURCHASE"), None)
    capped, _uses = capped_outcome(found, [july], {})
    assert explain_earning(capped.breakdown) == [
        "Base: 19.99 GBP at 1 per 1.00 GBP = 19 steps × 1.5 Gold = 28.5.",
        "28.5 is rounded down to 28.",
        "28 is capped to 25 by “July cap” (at most 25).",
    ]


def test_a_refusal_says_what_was_left():
    found = outcome(rule(), apart=True)
    cap = Limit(Cap(1, {"en": "Day cap"}, 10, "PURCHASE", refuses=True), None)
    capped, _uses = capped_outcome(found, [cap], {})
    assert explain_earning(capped.breakdown)[-1] == "“Day cap” leaves only 10 of 10; these 19 are not given."


@pytest.mark.django_db
def test_points_that_wait_say_from_when():
    make_rule(pending_days=14)
    make_rule(name_en="After delivery", pending_event="parcel.delivered", kind="PURCHASE", points=5)
    assert explained(buy(make_member()))[2:] == [
        "19 can be used from 29 June 2026.",
        "5 can be used once your purchase is confirmed.",
    ]


@pytest.mark.django_db
def test_status_points_are_said_and_their_own_entry_has_a_sentence():
    make_rule(name_en="Status", points=2, point_type="STATUS")
    recorded = buy(make_member())
    assert explained(recorded) == [
        "Status: 19.99 GBP at 2 per 1.00 GBP = 38. These are status points.",
        "Status points: 38.",
    ]
    assert explain(PointsEntry.objects.get(point_type="STATUS")) == ["Status points of this purchase."]


@pytest.mark.django_db
def test_the_member_reads_it_in_her_own_language():
    make_rule(name_en="Base rate", name_zh_hant="基本點數", minimum_amount=5000)
    entry = PointsEntry.objects.get(pk=buy(make_member()).entry_id)
    with override("zh-hant"):
        assert explain(entry)[0].startswith("基本點數")


def test_a_breakdown_of_the_first_days_is_still_readable():
    old = {
        "amount": 1999,
        "currency": "GBP",
        "rules": [
            {"rule": 1, "names": {"en": "Base"}, "base": 1999, "gives": 1, "per": 100, "whole": True, "steps": "19",
             "multiplier": "1", "points": "19"}
        ],
        "skipped": [{"rule": 2, "names": {"en": "Big"}, "why": "minimum", "needs": 5000}],
        "left_out": [],
        "tier": {},
        "sum": "19",
        "points": 19,
    }  # fmt: skip
    assert explain_earning(old) == [
        "Base: 19.99 GBP at 1 per 1.00 GBP = 19.",
        "Big: applies from 50.00 GBP.",
    ]

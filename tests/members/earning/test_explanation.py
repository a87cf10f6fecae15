"""The reasons, in words."""

import pytest

from members.earning.evaluation import forget_compiled
from members.earning.explanation import describes, explain
from members.ledger import posting
from members.ledger.models import PointsEntry
from members.tiers.models import Tier
from members.tiers.recalculation import recalculate
from tests.factories import NOW, buy, give, make_member, make_rule, make_tiers, set_programme

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

"""The dry run: the same points as the purchase itself, and nothing written."""

from dataclasses import replace
from datetime import timedelta

import pytest
from django.apps import apps
from django.db import connection
from django.test.utils import CaptureQueriesContext

from members.accounts.models import SegmentMembership
from members.ledger.models import Counter
from members.models import PointsEntry, Purchase, Tier
from members.purchases.quoting import NOBODY, quote
from members.purchases.recording import record_purchase
from members.tiers.models import Standing
from tests.factories import NOW, buy, draft_purchase, make_cap, make_member, make_rule, make_tiers, set_programme

pytestmark = pytest.mark.django_db


def as_of_nobody():
    return replace(draft_purchase(make_member()), member_id=NOBODY)


def rows():
    return {model: model._default_manager.count() for model in apps.get_models()}


def test_a_quote_is_what_the_purchase_earns_then_and_writes_nothing():
    """R21."""
    make_rule(pending_days=14)
    make_rule(name_en="Thanks", kind="PURCHASE", points=5)
    make_cap(limit=22, period="PURCHASE")
    draft = draft_purchase(make_member())
    set_programme()
    before = rows()
    with CaptureQueriesContext(connection) as queries:
        quoted = quote(draft=draft)
    # The text of a prepared statement, here the read of the terms, is not in the log of the queries.
    assert {each["sql"].split()[0] for each in queries if each["sql"]} == {"SELECT"}
    assert rows() == before
    recorded = record_purchase(draft=draft)
    assert (quoted.points, quoted.breakdown) == (recorded.points, recorded.breakdown)
    assert quoted.explanation == recorded.explanation


def test_caps_count_as_they_stand_and_are_not_used():
    make_rule()
    make_cap(limit=30, period="MONTH")
    member = make_member()
    buy(member)
    assert [quote(draft=draft_purchase(member)).points for _turn in range(2)] == [11, 11]
    assert (Counter.objects.get().used, Purchase.objects.count(), PointsEntry.objects.count()) == (19, 1, 1)


def test_a_quote_as_if_it_were_another_day():
    make_rule(valid_from=NOW + timedelta(days=1))
    draft = draft_purchase(make_member())
    assert quote(draft=draft).points == 0
    assert quote(draft=draft, at=NOW + timedelta(days=2)).points == 19


def test_a_quote_for_chosen_rules_even_switched_off_ones():
    make_rule()
    planned = make_rule(name_en="Planned", points=3, is_active=False)
    draft = draft_purchase(make_member())
    assert quote(draft=draft).points == 19
    assert quote(draft=draft, rule_ids=[planned.pk]).points == 57
    assert quote(draft=draft, rule_ids=[]).points == 0


def test_a_quote_for_nobody_is_that_of_the_lowest_tier_and_for_a_tier_that_of_it():
    make_rule()
    make_tiers()
    assert quote(draft=as_of_nobody()).points == 19
    assert quote(draft=as_of_nobody(), tier_id=Tier.objects.get(code="gold").pk).points == 28


def test_a_quote_looks_at_the_tier_and_segments_of_the_member():
    make_rule()
    make_rule(name_en="Gold only", kind="PURCHASE", points=100, only_tiers=["gold"], tier_multiplier=False)
    make_rule(name_en="New", kind="PURCHASE", points=7, only_segments=["new"], tier_multiplier=False)
    make_tiers()
    member = make_member()
    Standing.objects.create(
        member=member, tier=Tier.objects.get(code="gold"), from_at=NOW - timedelta(days=1), why="MANUAL"
    )
    SegmentMembership.objects.create(member=member, segment="new", since=NOW - timedelta(days=1))
    assert quote(draft=draft_purchase(member)).points == 28 + 100 + 7
    assert quote(draft=draft_purchase(member), at=NOW - timedelta(days=2)).points == 19

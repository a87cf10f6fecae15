"""What rules do to lots and to purchases of members and companies, in the books."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from members.accounts.merging import merge_members
from members.accounts.models import SegmentMembership
from members.ledger.models import PointsEntry, PointsLot
from members.ledger.statements import balance_of
from members.models import Standing, Tier
from members.purchases.drafts import DraftLine
from members.purchases.recording import ContentDiffers, record_purchase, record_purchases
from tests.factories import (
    NOW,
    buy,
    draft_purchase,
    make_member,
    make_rule,
    make_staff,
    make_store,
    make_tiers,
    set_programme,
)

pytestmark = pytest.mark.django_db


def lots(recorded):
    rows = PointsLot.objects.filter(entry_id=recorded.entry_id).order_by("pk")
    return list(rows.values_list("granted", "available_from", "expires_at"))


def test_pending_points_become_usable_as_their_day_begins_and_expire_from_there():
    """R8, R9: bought on 15 June, usable from 29 June 00:00 in London, twelve months from then to the month's end."""
    make_rule(pending_days=14)
    start = datetime(2026, 6, 28, 23, 0, tzinfo=UTC)
    assert lots(buy(make_member())) == [(19, start, datetime(2027, 6, 30, 23, 0, tzinfo=UTC))]


def test_pending_points_are_not_spendable_before_their_day():
    make_rule(pending_days=14)
    member = make_member()
    buy(member)
    assert balance_of(member.pk, NOW).spendable == 0
    assert balance_of(member.pk, NOW + timedelta(days=14)).spendable == 19


def test_points_that_wait_for_an_event_have_neither_start_nor_end():
    make_rule(pending_event="parcel.delivered", expiry_months=3)
    recorded = buy(make_member())
    assert lots(recorded) == [(19, None, None)]
    assert recorded.breakdown["pending"] == [{"points": 19, "event": "parcel.delivered", "expiry": 3}]


@pytest.mark.parametrize(
    ("fields", "end"),
    [
        ({"never_expires": True}, None),
        ({"expiry_months": 0}, datetime(2026, 6, 15, 23, 0, tzinfo=UTC)),
        ({"expiry_months": 3}, datetime(2026, 9, 30, 23, 0, tzinfo=UTC)),
        ({}, datetime(2027, 6, 30, 23, 0, tzinfo=UTC)),
    ],
)
def test_a_rule_may_set_the_end_of_its_points(fields, end):
    """R34."""
    make_rule(**fields)
    assert lots(buy(make_member())) == [(19, NOW, end)]


def test_rules_with_different_terms_make_several_lots_that_add_up():
    """9.99 in proportion at 1 per 2.00, twice: 4.995 + 4.995 = 9.99 → 9, as 5 and 4."""
    for fields in ({}, {"pending_days": 14}):
        make_rule(steps="PROPORTIONAL", per_amount=200, **fields)
    recorded = buy(make_member(), amount=999)
    assert [(points, start == NOW) for points, start, _end in lots(recorded)] == [(5, True), (4, False)]


def test_a_multiplier_keeps_the_terms_of_the_points_it_multiplies():
    make_rule(pending_days=14)
    make_rule(name_en="Thanks", kind="PURCHASE", points=10)
    make_rule(name_en="Double", kind="MULTIPLIER", multiplier=2)
    assert [points for points, _start, _end in lots(buy(make_member()))] == [20, 38]


def test_status_points_go_to_the_account_of_status_points():
    make_rule()
    make_rule(name_en="Status", points=2, point_type="STATUS")
    member = make_member()
    recorded = buy(member)
    entry = PointsEntry.objects.get(point_type="STATUS")
    assert (recorded.points, entry.points, entry.lots.get().remaining) == (19, 38, 38)
    assert balance_of(member.pk, NOW).spendable == 19


@pytest.mark.parametrize(("companies_earn", "points"), [(True, 19), (False, 0)])
def test_a_companys_purchase_earns_if_the_programme_says_so(companies_earn, points):
    make_rule()
    set_programme(companies_earn=companies_earn)
    recorded = buy(make_member(), buyer_tax_id="04595257")
    assert recorded.points == points
    if not companies_earn:
        assert recorded.explanation == ["Purchases with a company's tax number earn no points."]


@pytest.mark.parametrize(("rounding", "points"), [("FLOOR", 28), ("NEAREST", 29), ("CEILING", 29)])
def test_the_programme_says_how_points_are_rounded(rounding, points):
    make_rule()
    make_rule(name_en="Half more", kind="MULTIPLIER", multiplier="1.5")
    set_programme(earning_rounding=rounding)
    assert buy(make_member()).points == points


def test_a_late_purchase_earns_by_the_tier_and_the_rules_of_its_day():
    """R63: gold since yesterday; the rate was doubled a week ago and ended yesterday."""
    make_rule(points=2, valid_from=NOW - timedelta(days=7), valid_until=NOW - timedelta(days=1))
    make_rule(valid_from=NOW - timedelta(days=1))
    make_tiers()
    member = make_member()
    gold = Tier.objects.get(code="gold")
    Standing.objects.create(member=member, tier=gold, from_at=NOW - timedelta(days=1), why="MANUAL")
    assert buy(member, purchased_at=NOW - timedelta(days=2)).points == 38
    assert buy(member).points == 28


def test_a_rule_for_a_store_that_is_gone_is_not_a_rule_for_every_store():
    make_rule(only_stores=["gone"])
    assert buy(make_member(), store_id=make_store().pk).points == 0


def test_a_rule_for_stores_counts_there():
    store = make_store()
    make_rule(only_stores=["harbour"])
    assert buy(make_member(), store_id=store.pk).points == 19
    assert buy(make_member()).points == 0


def test_earn_by_the_rule_of_the_currency():
    """R64: 1 point per 1.00 GBP, 1 point per 100 JPY, nothing for others; no amount is converted."""
    make_rule()
    make_rule(name_en="Yen", currency="JPY", per_amount=100)
    member = make_member()
    assert [buy(member, currency=currency).points for currency in ("GBP", "JPY", "EUR")] == [19, 19, 0]


def test_everything_the_shop_tells_is_kept_and_counts():
    make_rule(base="PURCHASE_NET", counts_points_paid=False, counts_gift_card=False, only_brands=["Elm"])
    lines = (DraftLine(sku="TEA", quantity=1, amount=1200, brand="Elm", tax=200, discount=100),)
    draft = draft_purchase(make_member(), lines=lines, shipping=300, points_paid=150, gift_card_paid=600)
    assert record_purchase(draft=draft).points == 6  # (10.00 + 3.00) × half
    assert record_purchase(draft=draft).points == 6


@pytest.mark.postgres
def test_gates_for_tiers_and_segments_cost_no_further_read():
    make_rule(only_segments=["new"], minimum_rank=0)
    make_rule(name_en="Never", only_tiers=["gold"])
    make_tiers()
    members = [make_member() for _ in range(3)]
    for member in members:
        SegmentMembership.objects.create(member=member, segment="new", since=NOW)
    record_purchases(drafts=[draft_purchase(make_member())])
    drafts = [draft_purchase(member) for member in members]
    with CaptureQueriesContext(connection) as queries:
        recorded = record_purchases(drafts=drafts)
    assert [each.points for each in recorded] == [19, 19, 19]
    assert len([each for each in queries if "SAVEPOINT" not in (each["sql"] or "")]) == 2


def test_a_purchase_repeated_after_a_merge_is_still_the_same_purchase():
    make_rule()
    loser, survivor = make_member(), make_member()
    draft = draft_purchase(loser, 1000)
    first = record_purchase(draft=draft)
    merge_members(loser_id=loser.pk, survivor_id=survivor.pk, actor_id=make_staff().pk, reason="two cards")
    again = record_purchase(draft=replace(draft, member_id=survivor.pk))
    assert (again.purchase_id, again.is_new, again.points) == (first.purchase_id, False, first.points)
    for other in ({"member_id": make_member().pk}, {"member_id": survivor.pk, "currency": "EUR"}):
        with pytest.raises(ContentDiffers):
            record_purchase(draft=replace(draft, **other))

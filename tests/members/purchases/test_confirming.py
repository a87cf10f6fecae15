"""Points that wait for an event of their purchase."""

from datetime import UTC, datetime, timedelta

import pytest

from members.accounts.merging import merge_members
from members.events.readers import read_all
from members.ledger.models import PointsLot
from members.ledger.statements import balance_of
from members.purchases.confirming import UnknownKind, UnknownPurchase, report_event
from tests.factories import NOW, buy, make_member, make_rule, make_staff

pytestmark = pytest.mark.django_db(transaction=True)

DELIVERED = NOW + timedelta(days=3)


@pytest.fixture
def member(db):
    make_rule(pending_event="purchase.delivered")
    return make_member()


def told(kind="purchase.delivered", number="A-1"):
    return report_event(source="shop", number=number, kind=kind, at=DELIVERED)


def test_points_are_pending_until_the_shop_tells_the_event_and_live_from_then(member):
    """Earned on 15 June, delivered on 18 June: usable until the end of June of the next year, counted from delivery."""
    buy(member, 1000, number="A-1")
    assert (balance_of(member.pk, DELIVERED).spendable, balance_of(member.pk, DELIVERED).pending) == (0, 10)
    assert told()
    read_all()
    found = balance_of(member.pk, DELIVERED)
    assert (found.spendable, found.pending) == (10, 0)
    assert PointsLot.objects.get().expires_at == datetime(2027, 6, 30, 23, tzinfo=UTC)


def test_an_event_counts_once_and_another_event_changes_nothing(member):
    buy(member, 1000, number="A-1")
    assert told("purchase.paid")
    read_all()
    assert balance_of(member.pk, DELIVERED).pending == 10
    assert told()
    assert not told()
    read_all()
    assert balance_of(member.pk, DELIVERED).spendable == 10


def test_each_rule_of_one_purchase_waits_for_its_own_event(member):
    make_rule(points=2, pending_event="purchase.reviewed", expiry_months=1)
    buy(member, 1000, number="A-1")
    told("purchase.reviewed")
    read_all()
    assert (balance_of(member.pk, DELIVERED).spendable, balance_of(member.pk, DELIVERED).pending) == (20, 10)
    reviewed = PointsLot.objects.get(available_from__isnull=False)
    assert reviewed.expires_at == datetime(2026, 7, 31, 23, tzinfo=UTC)


def test_points_that_a_merge_carried_over_become_usable_where_they_are(member):
    buy(member, 1000, number="A-1")
    survivor = make_member()
    merge_members(loser_id=member.pk, survivor_id=survivor.pk, actor_id=make_staff().pk, reason="two cards", at=NOW)
    told()
    read_all()
    assert balance_of(survivor.pk, DELIVERED).spendable == 10


def test_only_recorded_purchases_and_the_shops_own_kinds_are_told(member):
    with pytest.raises(UnknownPurchase):
        told(number="A-2")
    buy(member, 1000, number="A-1")
    for kind in ("purchase.returned", "points.granted", "purchase."):
        with pytest.raises(UnknownKind):
            told(kind)

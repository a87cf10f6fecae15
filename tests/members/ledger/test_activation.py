"""Points that wait for an event become usable once, and live from then on."""

from datetime import timedelta

import pytest
from django.utils import timezone

from members.events.models import Event
from members.ledger import activation, posting, transfers
from members.ledger.award_rows import Award, AwardLine, AwardLot
from members.ledger.awarding import award_purchases
from members.ledger.models import LotChange, PointsLot
from members.ledger.statements import balance_of
from members.programme.models import Programme
from tests.factories import NOW, make_member, set_programme

pytestmark = [pytest.mark.django_db, pytest.mark.ledger_alone]


def award(member, *, status_points=5, points=30, lots=None):
    """Record a purchase whose points wait for an event, and return its id."""
    earned = Award(
        source="shop",
        number="1",
        content_hash="x",
        member_id=member.pk,
        purchased_at=NOW,
        currency="GBP",
        amount=3000,
        origin="test",
        backfilled=False,
        lines=(AwardLine("TEA", 1, 3000),),
        points=points,
        breakdown={"points": points},
        lots=lots or (AwardLot(points, None, None),),
        status_points=status_points,
    )
    return award_purchases([earned])[0].purchase_id


def test_waiting_points_become_usable_and_end_as_counted_from_then():
    set_programme(expiry_months=12)
    member = make_member()
    purchase = award(member)
    assert (balance_of(member.pk, timezone.now()).spendable, balance_of(member.pk, timezone.now()).pending) == (0, 30)
    at = timezone.now()
    assert activation.activate_purchase(purchase_id=purchase, at=at) == 30
    lot = PointsLot.objects.get(account__point_type="SPENDABLE")
    assert (lot.available_from, lot.expires_at) == (at, Programme.current().expiry_of(at))
    assert balance_of(member.pk, at).spendable == 30


def test_status_points_become_usable_with_them_and_never_end():
    member = make_member()
    at = timezone.now()
    activation.activate_purchase(purchase_id=award(member), at=at)
    lot = PointsLot.objects.get(account__point_type="STATUS")
    assert (lot.available_from, lot.expires_at) == (at, None)


def test_it_happens_once():
    member = make_member()
    purchase = award(member)
    at = timezone.now()
    activation.activate_purchase(purchase_id=purchase, at=at)
    assert activation.activate_purchase(purchase_id=purchase, at=at + timedelta(days=9)) == 0
    assert PointsLot.objects.filter(available_from=at).count() == 2
    assert Event.objects.filter(kind="points.activated").count() == 1
    assert Event.objects.get(kind="points.activated").data == {"purchase": purchase, "points": 30}


def test_each_change_is_kept():
    purchase = award(make_member(), status_points=0)
    activation.activate_purchase(purchase_id=purchase)
    change, lot = LotChange.objects.get(), PointsLot.objects.get()
    assert (change.why, change.old_available_from, change.old_expires_at) == ("ACTIVATED", None, None)
    assert (change.new_available_from, change.new_expires_at) == (lot.available_from, lot.expires_at)


def test_lots_that_are_pending_by_date_are_left_alone():
    soon = timezone.now() + timedelta(days=3)
    lots = (AwardLot(10, soon, None), AwardLot(20, None, None))
    member = make_member()
    assert activation.activate_purchase(purchase_id=award(member, lots=lots)) == 20
    assert PointsLot.objects.filter(available_from=soon).exists()


def test_what_was_taken_back_meanwhile_does_not_become_usable():
    member = make_member()
    purchase = award(member)
    posting.take_back(member_id=member.pk, points=12, key="t", reason="test")
    assert activation.activate_purchase(purchase_id=purchase) == 18


def test_points_that_a_merge_carried_over_twice_are_found():
    loser, survivor, last = make_member(), make_member(), make_member()
    purchase = award(loser)
    transfers.transfer_everything(from_member_id=loser.pk, to_member_id=survivor.pk, key="m1", reason="merge")
    transfers.transfer_everything(from_member_id=survivor.pk, to_member_id=last.pk, key="m2", reason="merge")
    assert activation.activate_purchase(purchase_id=purchase) == 30
    assert balance_of(last.pk, timezone.now()).spendable == 30
    assert Event.objects.get(kind="points.activated").member == last


def test_an_unknown_purchase_changes_nothing():
    assert activation.activate_purchase(purchase_id=1) == 0

"""Giving, spending, giving back and correcting points."""

from datetime import timedelta

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.utils import timezone

from members.events.models import Audit, Event
from members.ledger import posting
from members.ledger.models import LotUse, PointsAccount, PointsEntry, PointsLot
from members.ledger.statements import balance_of, spendable_points
from tests.factories import NOW, give, make_member, make_staff, set_programme

pytestmark = [pytest.mark.django_db, pytest.mark.ledger_alone]


def spend(member, points, key="k1", **fields):
    return posting.spend(member_id=member.pk, points=points, key=key, reason="test", **fields)


def test_a_gift_opens_a_lot_and_tells_the_log():
    member = make_member(points=100)
    assert spendable_points(member.pk, timezone.now()) == 100
    assert PointsLot.objects.get().remaining == 100
    assert Event.objects.get(kind="points.granted").data["points"] == 100


def test_a_gift_is_given_once_per_key():
    member = make_member()
    for _again in range(2):
        posting.grant(member_id=member.pk, points=50, key="birthday:1", reason="birthday")
    assert spendable_points(member.pk, timezone.now()) == 50


@pytest.mark.parametrize("points", [0, -5])
def test_a_gift_of_nothing_is_refused(points):
    with pytest.raises(posting.NotPositive):
        posting.grant(member_id=make_member().pk, points=points, key="k", reason="gift")


def test_spending_takes_the_earliest_end_first_and_never_ending_points_last():
    set_programme(expiry_policy="NEVER")
    member = make_member()
    never = give(member, 10)
    late = give(member, 10, expires_at=timezone.now() + timedelta(days=50))
    early = give(member, 10, expires_at=timezone.now() + timedelta(days=5))
    entry = spend(member, 25)
    used = {use.lot.entry_id: use.points for use in LotUse.objects.filter(entry=entry).select_related("lot")}
    assert used == {early.pk: 10, late.pk: 10, never.pk: 5}


def test_lots_with_the_same_end_are_spent_oldest_first():
    member = make_member()
    end = timezone.now() + timedelta(days=5)
    first = give(member, 10, expires_at=end)
    give(member, 10, expires_at=end)
    entry = spend(member, 10)
    assert LotUse.objects.get(entry=entry).lot.entry_id == first.pk


def test_too_few_points_take_nothing_and_say_how_many_are_missing():
    member = make_member(points=40)
    with pytest.raises(posting.InsufficientPoints) as refusal:
        spend(member, 100)
    assert (refusal.value.missing, refusal.value.spendable) == (60, 40)
    assert spendable_points(member.pk, timezone.now()) == 40


def test_the_same_key_spends_once():
    member = make_member(points=100)
    assert spend(member, 60).pk == spend(member, 60).pk
    assert spendable_points(member.pk, timezone.now()) == 40


def test_points_past_their_end_cannot_be_spent_though_no_sweep_ran():
    member = make_member()
    give(member, 100, at=timezone.now() - timedelta(days=9), expires_at=timezone.now() - timedelta(seconds=1))
    assert spendable_points(member.pk, timezone.now()) == 0
    with pytest.raises(posting.InsufficientPoints):
        spend(member, 1)


def test_points_are_usable_until_the_very_end_and_not_at_it():
    end = timezone.now() + timedelta(days=1)
    member = make_member()
    give(member, 100, expires_at=end)
    with pytest.raises(posting.InsufficientPoints):
        spend(member, 10, key="at", at=end)
    spend(member, 10, key="before", at=end - timedelta(microseconds=1))
    assert balance_of(member.pk, timezone.now()).spendable == 90


def test_given_back_points_return_to_their_lots_with_their_age():
    member = make_member()
    give(member, 30, expires_at=timezone.now() + timedelta(days=5))
    give(member, 70, expires_at=timezone.now() + timedelta(days=50))
    before = list(PointsLot.objects.order_by("pk").values_list("remaining", "expires_at"))
    entry = spend(member, 60)
    posting.refund_spend(entry_id=entry.pk, key="back", reason="cancelled")
    assert list(PointsLot.objects.order_by("pk").values_list("remaining", "expires_at")) == before


def test_a_redemption_is_given_back_once_whatever_the_key():
    member = make_member(points=100)
    entry = spend(member, 60)
    first = posting.refund_spend(entry_id=entry.pk, key="a", reason="cancelled")
    second = posting.refund_spend(entry_id=entry.pk, key="b", reason="cancelled")
    assert first.pk == second.pk
    assert spendable_points(member.pk, timezone.now()) == 100


def spent_from_a_lot_that_ended(member):
    now = timezone.now()
    give(member, 50, at=now - timedelta(days=20), expires_at=now - timedelta(days=1))
    return spend(member, 50, at=now - timedelta(days=10))


def test_given_back_points_whose_date_passed_stay_gone_when_the_member_cancelled():
    member = make_member()
    entry = spent_from_a_lot_that_ended(member)
    posting.refund_spend(entry_id=entry.pk, key="back", reason="cancelled")
    assert spendable_points(member.pk, timezone.now()) == 0


def test_given_back_points_whose_date_passed_get_courtesy_days_when_we_cancelled():
    set_programme(courtesy_days=14)
    member = make_member()
    entry = spent_from_a_lot_that_ended(member)
    posting.refund_spend(entry_id=entry.pk, key="back", reason="cancelled", by_seller=True)
    assert spendable_points(member.pk, timezone.now() + timedelta(days=13)) == 50
    assert spendable_points(member.pk, timezone.now() + timedelta(days=16)) == 0


def test_giving_back_what_was_never_spent_is_refused():
    entry = give(make_member(), 10)
    with pytest.raises(posting.UnknownEntry):
        posting.refund_spend(entry_id=entry.pk, key="back", reason="cancelled")


def take_back(member, points, **fields):
    return posting.take_back(member_id=member.pk, points=points, key="tb", reason="test", **fields)


def test_taking_back_more_than_there_is_stops_at_zero_and_records_the_shortfall():
    set_programme(debt_policy="CLAMP")
    member = make_member(points=50)
    entry = take_back(member, 150)
    assert (entry.points, entry.breakdown["shortfall"]) == (-50, 100)
    assert PointsAccount.objects.get(point_type="SPENDABLE").debt == 0


def test_taking_back_more_than_there_is_becomes_a_debt_when_the_programme_says_so():
    set_programme(debt_policy="DEBT")
    member = make_member(points=50)
    take_back(member, 150)
    account = PointsAccount.objects.get(point_type="SPENDABLE")
    assert (account.balance, account.debt) == (-100, 100)


def test_the_next_points_pay_the_debt_first():
    set_programme(debt_policy="DEBT")
    member = make_member(points=50)
    take_back(member, 80)
    give(member, 100)
    balance = balance_of(member.pk, timezone.now())
    assert (balance.spendable, balance.debt) == (70, 0)


def test_points_that_come_back_pay_the_debt_first():
    set_programme(debt_policy="DEBT")
    member = make_member(points=100)
    entry = spend(member, 100)
    take_back(member, 30)
    posting.refund_spend(entry_id=entry.pk, key="back", reason="cancelled")
    balance = balance_of(member.pk, timezone.now())
    assert (balance.spendable, balance.debt) == (70, 0)


def test_pending_points_are_taken_back_before_spendable_ones():
    member = make_member(points=50)
    pending = give(member, 50)
    PointsLot.objects.filter(entry=pending).update(available_from=timezone.now() + timedelta(days=3))
    entry = take_back(member, 50)
    assert LotUse.objects.get(entry=entry).lot.entry_id == pending.pk


def test_an_adjustment_leaves_an_audit_row_with_its_reason():
    member, staff = make_member(points=10), make_staff()
    posting.adjust(member_id=member.pk, points=-4, key="a1", reason="counted twice", actor_id=staff.pk)
    assert spendable_points(member.pk, timezone.now()) == 6
    assert Audit.objects.get().reason == "counted twice"


def test_an_adjustment_never_goes_below_zero():
    member, staff = make_member(points=10), make_staff()
    with pytest.raises(posting.InsufficientPoints):
        posting.adjust(member_id=member.pk, points=-11, key="a1", reason="typo", actor_id=staff.pk)


@pytest.mark.parametrize("change", ["UPDATE members_pointsentry SET points = 5", "DELETE FROM members_pointsentry"])
def test_the_database_refuses_to_change_history(change):
    give(make_member(), 10)
    with (
        pytest.raises(DatabaseError, match="append-only"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(change)


def test_the_database_refuses_a_balance_below_the_debt():
    member = make_member()
    with pytest.raises(IntegrityError), transaction.atomic():
        PointsAccount.objects.filter(member=member, point_type="SPENDABLE").update(balance=-1)


def test_the_database_refuses_to_take_more_than_a_lot_holds():
    give(make_member(), 10)
    with pytest.raises(IntegrityError), transaction.atomic():
        PointsLot.objects.update(remaining=-1)


def test_an_entry_without_movement_is_refused_unless_it_keeps_a_reason():
    member = make_member()
    account = PointsAccount.objects.get(point_type="SPENDABLE", member=member)
    fields = {"account": account, "member": member, "points": 0, "occurred_at": NOW, "recorded_at": NOW}
    with pytest.raises(IntegrityError), transaction.atomic():
        PointsEntry.objects.create(kind="ADJUST", contra="ADJUSTED", key="zero", **fields)
    PointsEntry.objects.create(kind="EARN", contra="ISSUED", key="reason", **fields)


def test_status_points_are_given_and_corrected_apart_from_spendable_ones_and_never_end():
    member, staff = make_member(points=10), make_staff()
    posting.grant(member_id=member.pk, points=50, key="g", reason="gift", point_type="STATUS")
    posting.adjust(member_id=member.pk, points=-8, key="a", reason="typo", actor_id=staff.pk, point_type="STATUS")
    account = PointsAccount.objects.get(member=member, point_type="STATUS")
    assert account.balance == 42
    assert PointsLot.objects.get(account=account).expires_at is None
    assert spendable_points(member.pk, timezone.now()) == 10
    assert Event.objects.get(kind="points.adjusted").data["point_type"] == "STATUS"


def test_a_gift_that_starts_later_is_pending_until_then_and_its_life_counts_from_then():
    set_programme(expiry_months=1, expiry_at_month_end=False)
    member = make_member()
    start = timezone.now() + timedelta(days=10)
    posting.grant(member_id=member.pk, points=50, key="g", reason="gift", available_from=start)
    assert balance_of(member.pk, timezone.now()).pending == 50
    assert spendable_points(member.pk, start) == 50
    assert PointsLot.objects.get().expires_at > start + timedelta(days=27)


def test_while_an_account_is_under_review_nothing_is_spent_and_gifts_still_come():
    member = make_member(points=10)
    PointsAccount.objects.update(blocked_at=timezone.now())
    with pytest.raises(posting.AccountUnderReview):
        spend(member, 5)
    give(member, 7)
    assert spendable_points(member.pk, timezone.now()) == 17


def test_a_spend_that_happened_before_the_review_is_still_answered():
    member = make_member(points=10)
    first = spend(member, 5)
    PointsAccount.objects.update(blocked_at=timezone.now())
    assert spend(member, 5).pk == first.pk

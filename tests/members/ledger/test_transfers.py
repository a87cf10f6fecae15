"""Points that change their member keep their dates, and the pair of entries sums to zero."""

from datetime import timedelta

import pytest
from django.utils import timezone

from members.events.models import Event
from members.ledger import posting, transfers
from members.ledger.models import PointsAccount, PointsEntry, PointsLot
from members.ledger.statements import balance_of, spendable_points
from tests.factories import give, make_member, set_programme

pytestmark = [pytest.mark.django_db, pytest.mark.ledger_alone]


def transfer(giver, receiver, points, key="t1", **fields):
    return transfers.transfer(
        from_member_id=giver.pk, to_member_id=receiver.pk, points=points, key=key, reason="present", **fields
    )


def everything(loser, survivor, key="merge"):
    return transfers.transfer_everything(
        from_member_id=loser.pk, to_member_id=survivor.pk, key=key, reason="merge", at=None
    )


def spendable(member):
    return spendable_points(member.pk, timezone.now())


def lots(member):
    rows = PointsLot.objects.filter(member=member, remaining__gt=0).order_by("expires_at")
    return list(rows.values_list("remaining", "available_from", "expires_at", "notice_due"))


@pytest.fixture
def giver():
    """A member with 30 points that end in 5 days and 70 that end in 50."""
    member = make_member()
    give(member, 30, expires_at=timezone.now() + timedelta(days=5))
    give(member, 70, expires_at=timezone.now() + timedelta(days=50))
    return member


def test_points_that_end_first_go_first_and_keep_their_dates(giver):
    receiver = make_member()
    dates = lots(giver)
    entry = transfer(giver, receiver, 40)
    assert (entry.points, entry.member) == (-40, giver)
    assert [row[0] for row in lots(receiver)] == [30, 10]
    assert [row[1:] for row in lots(receiver)] == [row[1:] for row in dates]
    assert lots(giver)[0][0] == 60


def test_the_pair_sums_to_zero_and_the_credit_names_the_debit_and_its_lots(giver):
    receiver = make_member()
    entry = transfer(giver, receiver, 40)
    answer = PointsEntry.objects.get(related_id=entry.pk)
    assert (answer.member, answer.points, answer.contra) == (receiver, 40, "TRANSFERRED")
    sources = set(answer.lots.values_list("moved_from_id", flat=True))
    assert sources == set(PointsLot.objects.filter(member=giver).values_list("pk", flat=True))
    assert set(Event.objects.filter(kind__in=["points.transferred", "points.received"]).values_list("member")) == {
        (giver.pk,),
        (receiver.pk,),
    }


def test_a_point_that_waits_for_its_notice_still_waits_at_its_new_member(giver):
    PointsLot.objects.filter(granted=30).update(notice_due=True)
    receiver = make_member()
    transfer(giver, receiver, 30)
    assert lots(receiver)[0][3] is True


def test_only_points_with_an_end_of_their_own_have_one_at_their_new_member(giver):
    PointsLot.objects.filter(granted=30).update(has_own_end=True)
    PointsLot.objects.exclude(granted=30).update(has_own_end=False)
    receiver = make_member()
    transfer(giver, receiver, 40)
    carried = PointsLot.objects.filter(member=receiver).order_by("pk").values_list("granted", "has_own_end")
    assert list(carried) == [(30, True), (10, False)]


def test_a_transfer_happens_once_per_key(giver):
    receiver = make_member()
    assert transfer(giver, receiver, 40).pk == transfer(giver, receiver, 40).pk
    assert (spendable(giver), spendable(receiver)) == (60, 40)


def test_pending_and_past_points_cannot_be_given():
    giver, receiver = make_member(), make_member()
    now = timezone.now()
    give(giver, 10, available_from=now + timedelta(days=1))
    give(giver, 10, at=now - timedelta(days=9), expires_at=now - timedelta(days=1))
    give(giver, 10)
    with pytest.raises(posting.InsufficientPoints) as refusal:
        transfer(giver, receiver, 11)
    assert refusal.value.spendable == 10


def test_the_debt_of_the_receiver_is_paid_first(giver):
    set_programme(debt_policy="DEBT")
    receiver = make_member()
    posting.take_back(member_id=receiver.pk, points=35, key="tb", reason="test")
    transfer(giver, receiver, 40)
    balance = balance_of(receiver.pk, timezone.now())
    assert (balance.spendable, balance.debt) == (5, 0)


def test_nobody_gives_to_themselves(giver):
    with pytest.raises(transfers.SameMember):
        transfer(giver, giver, 10)


@pytest.mark.parametrize("points", [0, -1])
def test_giving_nothing_is_refused(giver, points):
    with pytest.raises(posting.NotPositive):
        transfer(giver, make_member(), points)


@pytest.mark.parametrize("who", ["giver", "receiver"])
def test_nothing_moves_while_one_of_the_accounts_is_under_review(giver, who):
    receiver = make_member()
    blocked = giver if who == "giver" else receiver
    PointsAccount.objects.filter(member=blocked).update(blocked_at=timezone.now())
    with pytest.raises(posting.AccountUnderReview):
        transfer(giver, receiver, 10)


def test_a_merge_moves_every_lot_of_both_point_types_with_its_dates(giver):
    survivor = make_member(points=5)
    give(giver, 9, available_from=timezone.now() + timedelta(days=3))
    posting.grant(member_id=giver.pk, points=400, key="st", reason="test", point_type="STATUS")
    PointsLot.objects.filter(granted=400).update(available_from=None)
    dates = set(lots(giver))
    everything(giver, survivor)
    assert lots(giver) == []
    assert dates < set(lots(survivor))
    assert set(PointsAccount.objects.filter(member=giver).values_list("balance", flat=True)) == {0}
    assert dict(PointsAccount.objects.filter(member=survivor).values_list("point_type", "balance")) == {
        "SPENDABLE": 114,
        "STATUS": 400,
    }


def test_a_merge_happens_once_per_key(giver):
    survivor = make_member()
    first = [entry.pk for entry in everything(giver, survivor)]
    assert [entry.pk for entry in everything(giver, survivor)] == first
    assert spendable(survivor) == 100


def test_two_cards_of_100_and_200_points_become_one_of_300():
    loser, survivor = make_member(points=100), make_member(points=200)
    everything(loser, survivor)
    assert (spendable(loser), spendable(survivor)) == (0, 300)


def in_debt(points):
    member = make_member()
    posting.take_back(member_id=member.pk, points=points, key=f"tb{member.pk}", reason="test")
    return member


@pytest.mark.parametrize(
    ("owed", "has", "spendable_after", "debt_after"),
    [(30, 100, 70, 0), (100, 100, 0, 0), (130, 100, 0, 30)],
)
def test_the_debt_of_the_loser_moves_and_is_paid(owed, has, spendable_after, debt_after):
    set_programme(debt_policy="DEBT")
    loser, survivor = in_debt(owed), make_member(points=has)
    everything(loser, survivor)
    balance = balance_of(survivor.pk, timezone.now())
    assert (balance.spendable, balance.debt) == (spendable_after, debt_after)
    account = PointsAccount.objects.get(member=loser, point_type="SPENDABLE")
    assert (account.balance, account.debt) == (0, 0)


def test_two_debts_add_up():
    set_programme(debt_policy="DEBT")
    loser, survivor = in_debt(30), in_debt(20)
    everything(loser, survivor)
    assert PointsAccount.objects.get(member=survivor, point_type="SPENDABLE").debt == 50


def test_the_points_of_the_loser_pay_the_debt_of_the_survivor(giver):
    set_programme(debt_policy="DEBT")
    survivor = in_debt(35)
    everything(giver, survivor)
    balance = balance_of(survivor.pk, timezone.now())
    assert (balance.spendable, balance.debt) == (65, 0)


def test_a_merge_of_members_who_have_nothing_writes_nothing():
    assert everything(make_member(), make_member()) == []


def test_accounts_under_review_are_not_merged(giver):
    PointsAccount.objects.filter(member=giver).update(blocked_at=timezone.now())
    with pytest.raises(posting.AccountUnderReview):
        everything(giver, make_member())

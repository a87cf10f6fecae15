"""Giving back a part of a redemption: exact for each lot, at most what was spent, once per key."""

from datetime import timedelta

import pytest
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from members.ledger import posting, transfers
from members.ledger.models import LotUse, PointsAccount, PointsEntry, PointsLot
from members.ledger.movements import share_parts, total
from members.ledger.statements import spendable_points
from tests.factories import give, make_member, set_programme

pytestmark = [pytest.mark.django_db, pytest.mark.ledger_alone]


@pytest.fixture
def member():
    """A member with 30 points that end in 5 days and 70 that end in 50."""
    member = make_member()
    give(member, 30, expires_at=timezone.now() + timedelta(days=5))
    give(member, 70, expires_at=timezone.now() + timedelta(days=50))
    return member


@pytest.fixture
def entry(member):
    """A redemption of 60: all 30 that end first, and 30 of the others."""
    return posting.spend(member_id=member.pk, points=60, key="s", reason="test")


def refund(entry, points=None, key="r1", **fields):
    return posting.refund_spend(entry_id=entry.pk, key=key, reason="cancelled", points=points, **fields)


def remainders():
    return list(PointsLot.objects.order_by("pk").values_list("remaining", flat=True))


def test_a_part_comes_back_to_the_lots_with_the_longest_life_first(entry):
    refund(entry, 20)
    assert remainders() == [0, 60]
    refund(entry, 25, key="r2")
    assert remainders() == [15, 70]


def test_the_rest_comes_back_when_no_amount_is_said(entry):
    refund(entry, 20)
    assert refund(entry, key="r2").points == 40
    assert remainders() == [30, 70]


def test_a_repeated_key_gives_back_once(entry):
    assert refund(entry, 20).pk == refund(entry, 20).pk
    assert remainders() == [0, 60]


def test_a_repeated_key_answers_with_its_own_refund(entry):
    first = refund(entry, 20)
    refund(entry, 10, key="r2")
    assert refund(entry, 20).pk == first.pk


def test_all_parts_together_are_at_most_what_was_spent(entry):
    refund(entry, 20)
    with pytest.raises(posting.MoreThanSpent) as refusal:
        refund(entry, 41, key="r2")
    assert refusal.value.left == 40
    refund(entry, 40, key="r3")


def test_nothing_more_comes_back_after_everything_did(entry):
    refund(entry)
    with pytest.raises(posting.MoreThanSpent):
        refund(entry, 1, key="r2")
    assert PointsEntry.objects.filter(kind="REFUND").count() == 1


@pytest.mark.parametrize("points", [0, -1])
def test_giving_back_nothing_is_refused(entry, points):
    with pytest.raises(posting.NotPositive):
        refund(entry, points)


def test_a_part_whose_date_passed_gets_courtesy_days_only_when_we_cancelled(entry):
    set_programme(courtesy_days=14)
    later = timezone.now() + timedelta(days=8)
    member_id = entry.member_id
    # The 30 of the long lot, then 10 of the one that ended three days ago.
    refund(entry, 30, at=later)
    refund(entry, 10, key="r2", at=later)
    assert spendable_points(member_id, later) == 70
    refund(entry, 20, key="r3", at=later, by_seller=True)
    assert PointsLot.objects.order_by("pk").first().changes.get().why == "COURTESY"


def test_a_part_after_a_merge_comes_to_the_survivor_and_the_parts_still_add_up(entry, member):
    refund(entry, 20)
    survivor = make_member()
    transfers.transfer_everything(from_member_id=member.pk, to_member_id=survivor.pk, key="m", reason="merge")
    member.merged_into = survivor
    member.save()
    now = timezone.now()
    assert refund(entry, 25, key="r2").member == survivor
    assert spendable_points(survivor.pk, now + timedelta(days=1)) == 85
    assert refund(entry, key="r3").points == 15
    assert (spendable_points(member.pk, now), spendable_points(survivor.pk, timezone.now())) == (0, 100)
    with pytest.raises(posting.MoreThanSpent):
        refund(entry, 1, key="r4")


def test_giving_back_works_while_an_account_is_under_review(entry):
    PointsAccount.objects.update(blocked_at=timezone.now())
    assert refund(entry).points == 60


def test_what_comes_back_in_parts_is_what_each_lot_gave(entry):
    for place, points in enumerate((7, 23, 1, 29)):
        refund(entry, points, key=f"part{place}")
    for lot in PointsLot.objects.all():
        assert sum(LotUse.objects.filter(lot=lot).values_list("points", flat=True)) == 0


@given(st.lists(st.integers(0, 50), max_size=8), st.integers(1, 500))
def test_shares_never_take_more_than_there_is_and_fill_the_parts_in_order(parts, points):
    numbered = list(enumerate(parts))
    takes = share_parts(numbered, points)
    assert total(takes) == min(points, sum(parts))
    # Only the last part that is used may be used in part.
    assert all(taken == parts[place] for place, taken in takes[:-1])

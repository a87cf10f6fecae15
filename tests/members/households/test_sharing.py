"""Using points together: 100 + 50, spend 120, and 0 and 30 are left."""

import time
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest
from django.db import transaction
from django.utils import timezone

from members.earning.explanation import explain
from members.events.models import Event
from members.households.joining import accept_invite, invite, start_household
from members.households.leaving import leave_household, remove_member
from members.households.models import HouseholdMember
from members.households.sharing import change_sharing, seen_by
from members.ledger import pools, posting
from members.ledger.models import PointsAccount, PointsEntry, PointsLot
from members.ledger.statements import spendable_points
from members.lib.transactions import retried
from tests.factories import give, make_member, set_programme
from tests.harness.races import only, run_together

pytestmark = [pytest.mark.django_db, pytest.mark.ledger_alone]


def household(*members, shares=True, limit=None):
    """Put the members into one household, the first as its head."""
    start_household(member_id=members[0].pk, shares_points=shares, monthly_limit=limit)
    for member in members[1:]:
        made = invite(head_id=members[0].pk)
        accept_invite(member_id=member.pk, code=made.code, shares_points=shares, monthly_limit=limit)


@retried
def spend(member, points, key="k", at=None):
    pool = pools.lock_pool(member.pk)
    return pools.spend_from_pool(pool=pool, points=points, key=key, reason="test", at=at)


def left(*members):
    return [spendable_points(member.pk, timezone.now()) for member in members]


@pytest.mark.parametrize("spender", [0, 1])
def test_100_and_50_spend_120_and_0_and_30_are_left(spender):
    """The own points go first; what is missing comes from the other."""
    both = make_member(points=100), make_member(points=50)
    household(*both)
    spend(both[spender], 120)
    expected = [0, 30] if spender == 0 else [30, 0]
    assert left(*both) == expected


def test_what_is_missing_comes_from_the_lots_that_end_first_over_all_of_them():
    now = timezone.now()
    spender, one, other = make_member(points=10), make_member(), make_member()
    household(spender, one, other)
    give(one, 40, expires_at=now + timedelta(days=20))
    give(one, 40, expires_at=now + timedelta(days=90))
    give(other, 40, expires_at=now + timedelta(days=10))
    give(other, 40, expires_at=now + timedelta(days=50))
    spend(spender, 100)
    assert left(spender, one, other) == [0, 40, 30]


def test_moved_points_keep_their_dates_and_both_histories_explain_it():
    now = timezone.now()
    spender, other = make_member(), make_member()
    household(spender, other)
    end = now + timedelta(days=10)
    give(other, 40, expires_at=end)
    spend(spender, 25)
    assert PointsLot.objects.get(account__member=spender).expires_at == end
    for member in (spender, other):
        entry = PointsEntry.objects.get(member=member, kind="TRANSFER")
        assert explain(entry) == [
            f"Your household: the member number that ends in {other.number[-4:]} helped the one that ends in "
            f"{spender.number[-4:]} to redeem.",
            "Points that change their member keep their end date.",
        ]


def test_nothing_of_the_others_is_touched_when_the_own_points_suffice():
    both = make_member(points=100), make_member(points=50)
    household(*both)
    spend(both[0], 100)
    assert left(*both) == [0, 50]
    assert not PointsEntry.objects.filter(kind="TRANSFER").exists()


def test_when_all_together_have_too_little_nothing_is_taken():
    both = make_member(points=100), make_member(points=50)
    household(*both)
    with pytest.raises(posting.InsufficientPoints) as short:
        spend(both[0], 151)
    assert (short.value.spendable, short.value.missing) == (150, 1)
    assert left(*both) == [100, 50]


def test_who_has_not_agreed_shares_nothing():
    both = make_member(points=100), make_member(points=50)
    household(*both, shares=False)
    with pytest.raises(posting.InsufficientPoints):
        spend(both[0], 101)


@pytest.mark.parametrize("status", ["CLOSED", "MERGED"])
def test_a_membership_that_is_not_open_any_more_shares_nothing(status):
    both = make_member(points=100), make_member(points=50)
    household(*both)
    type(both[1]).objects.filter(pk=both[1].pk).update(status=status)
    with pytest.raises(posting.InsufficientPoints):
        spend(both[0], 101)


def test_the_same_key_spends_once():
    both = make_member(points=100), make_member(points=50)
    household(*both)
    assert spend(both[0], 120) == spend(both[0], 120)
    assert left(*both) == [0, 30]


@pytest.mark.parametrize(("points", "fits"), [(130, True), (131, False)])
def test_others_use_at_most_so_many_points_a_month(points, fits):
    both = make_member(points=100), make_member(points=50)
    household(*both, limit=30)
    if fits:
        spend(both[0], points)
        assert left(*both) == [0, 20]
    else:
        with pytest.raises(posting.InsufficientPoints):
            spend(both[0], points)


def test_the_monthly_limit_adds_up_and_begins_anew_with_the_local_month():
    set_programme(zone="Asia/Taipei", expiry_months=None)
    both = make_member(), make_member()
    household(*both, limit=30)
    give(both[1], 100, at=datetime(2026, 1, 1, tzinfo=UTC))
    in_march = datetime(2026, 3, 31, 15, 59, tzinfo=UTC)
    spend(both[0], 20, key="a", at=in_march)
    with pytest.raises(posting.InsufficientPoints) as short:
        spend(both[0], 11, key="b", at=in_march)
    assert short.value.spendable == 10
    spend(both[0], 30, key="c", at=in_march + timedelta(minutes=1))


def test_leaving_takes_the_own_share_along_at_once():
    both = make_member(points=100), make_member(points=50)
    household(*both)
    leave_household(member_id=both[1].pk)
    assert left(*both) == [100, 50]
    with pytest.raises(posting.InsufficientPoints):
        spend(both[0], 101)
    assert Event.objects.filter(kind="household.left", member_id=both[1].pk).count() == 1


def test_a_removed_member_keeps_the_own_points():
    both = make_member(points=100), make_member(points=50)
    household(*both)
    remove_member(head_id=both[0].pk, member_id=both[1].pk)
    assert left(*both) == [100, 50]
    assert pools.pooled_points(both[0].pk, timezone.now()) == 100


def test_sharing_is_switched_off_and_on_again_with_a_fresh_agreement():
    both = make_member(points=100), make_member(points=50)
    household(*both)
    change_sharing(member_id=both[1].pk, shares_points=False, monthly_limit=None)
    assert pools.pooled_points(both[0].pk, timezone.now()) == 100
    later = timezone.now() + timedelta(hours=1)
    change_sharing(member_id=both[1].pk, shares_points=True, monthly_limit=20, at=later)
    assert pools.pooled_points(both[0].pk, timezone.now()) == 120
    assert HouseholdMember.objects.get(member=both[1]).consented_at == later


def test_others_see_a_first_name_and_what_is_shared_and_nothing_else():
    head, friend = make_member(points=100, name="Mei Lin"), make_member(points=50, name="Kai Stone")
    household(head, friend, limit=30)
    rows = seen_by(head.pk, timezone.now())
    assert [(row.first_name, row.is_head, row.is_self, row.shared) for row in rows] == [
        ("Mei", True, True, 0),
        ("Kai", False, False, 30),
    ]


def test_a_member_alone_spends_as_before():
    member = make_member(points=100)
    spend(member, 60)
    assert left(member) == [40]
    with pytest.raises(PointsAccount.DoesNotExist), transaction.atomic():
        pools.lock_pool(0)


# Races.


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_of_two_who_redeem_the_last_shared_points_at_once_exactly_one_succeeds():
    for turn in range(5):
        both = make_member(points=100), make_member(points=50)
        household(*both)
        outcomes = run_together([partial(spend, member, 120, f"{turn}:{member.pk}") for member in both])
        assert len(only(PointsEntry, outcomes)) == 1
        assert len(only(posting.InsufficientPoints, outcomes)) == 1
        assert sum(left(*both)) == 30


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_many_who_redeem_together_in_any_order_never_block_each_other():
    members = [make_member(points=100) for _ in range(4)]
    household(*members)
    calls = [partial(spend, members[n % 4], 70, f"k{n}") for n in range(12)]
    outcomes = run_together(calls)
    assert len(only(PointsEntry, outcomes)) == 5
    assert len(only(posting.InsufficientPoints, outcomes)) == 7
    assert sum(left(*members)) == 50


def two_at_one_limit():
    """Let two spend 30 at once of a third who has 100 and lets others use 30 a month; return how many could."""
    giver, one, other = make_member(points=100), make_member(), make_member()
    household(giver, one, other, limit=30)
    outcomes = run_together([partial(spend, member, 30, f"{giver.pk}:{member.pk}") for member in (one, other)])
    return len(only(PointsEntry, outcomes))


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_two_at_once_stay_within_the_monthly_limit_of_a_third():
    assert [two_at_one_limit() for _turn in range(5)] == [1] * 5


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_the_race_sees_a_pool_that_is_not_locked(monkeypatch):
    """The negative control: without the lock both find room under the same limit."""
    take = pools._take

    def slowly(*said):
        taken = take(*said)
        time.sleep(0.05)
        return taken

    def without_lock(ids):
        accounts = PointsAccount.objects.filter(member__in=ids, point_type="SPENDABLE")
        return {account.member_id: account for account in accounts}

    monkeypatch.setattr(pools, "_take", slowly)
    monkeypatch.setattr(pools, "lock_accounts", without_lock)
    assert two_at_one_limit() == 2


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_after_leaving_has_returned_nobody_uses_the_points():
    for turn in range(5):
        both = make_member(points=100), make_member(points=50)
        household(*both)

        def leave_and_count(member=both[1]):
            leave_household(member_id=member.pk)
            return left(member)[0]

        found, _spent = run_together([leave_and_count, partial(spend, both[0], 120, f"t{turn}")])
        assert left(both[1])[0] == found

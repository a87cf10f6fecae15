"""Holds, refunds and transfers under concurrency, on a real PostgreSQL, each rule with a negative control."""

import time
from datetime import timedelta
from functools import partial

import pytest
from django.db import IntegrityError, OperationalError, transaction
from django.db.models import F
from django.utils import timezone

from members.ledger import holds, movements, posting, reviewing, transfers
from members.ledger.models import Hold, PointsAccount, PointsEntry
from members.ledger.statements import spendable_points
from tests.factories import give, make_member
from tests.harness.races import only, run_together

pytestmark = [pytest.mark.postgres, pytest.mark.ledger_alone, pytest.mark.django_db(transaction=True)]


def spend(member, points, key):
    return posting.spend(member_id=member.pk, points=points, key=key, reason="test")


def hold(member, points, key):
    return holds.hold(member_id=member.pk, points=points, key=key, reason="test")


def now_spendable(member):
    return spendable_points(member.pk, timezone.now())


@pytest.fixture
def without_locks(monkeypatch):
    """Take the locks of accounts away, and slow what reads under them down: the negative control."""

    def read_account(member_id, point_type="SPENDABLE"):
        account = PointsAccount.objects.get(member_id=member_id, point_type=point_type)
        time.sleep(0.02)
        return account

    def read_accounts(account_ids):
        accounts = {account.pk: account for account in PointsAccount.objects.filter(pk__in=set(account_ids))}
        time.sleep(0.02)
        return accounts

    monkeypatch.setattr(posting, "lock_account", read_account)
    monkeypatch.setattr(holds, "lock_account", read_account)
    monkeypatch.setattr(movements, "lock_accounts", read_accounts)


def slow_choice(monkeypatch):
    """Let everybody choose lots before anybody takes them."""
    choose = posting.choose_spendable

    def chosen(*args):
        takes = choose(*args)
        time.sleep(0.2)
        return takes

    monkeypatch.setattr(posting, "choose_spendable", chosen)
    monkeypatch.setattr(holds, "choose_spendable", chosen)


def hold_and_spend_the_last_points():
    """Return how many of ten holds and ten redemptions of 100 points succeed on a balance of 500."""
    member = make_member(points=500)
    calls = [partial(move, member, 100, f"{move.__name__}{place}") for place in range(10) for move in (hold, spend)]
    outcomes = run_together(calls)
    return len(only(Hold, outcomes)) + len(only(PointsEntry, outcomes)), outcomes, member


def test_holds_and_redemptions_at_once_take_the_last_points_once():
    done, outcomes, member = hold_and_spend_the_last_points()
    assert done == 5
    assert len(only(posting.InsufficientPoints, outcomes)) == 15
    assert now_spendable(member) == 0


@pytest.mark.wrong_books
def test_without_the_lock_the_last_points_are_promised_twice_and_only_the_database_refuses(monkeypatch, without_locks):
    slow_choice(monkeypatch)
    _done, outcomes, _member = hold_and_spend_the_last_points()
    # All twenty believed that there was enough; the check of the lot is the net below the lock.
    assert only(IntegrityError, outcomes)


def settle_at_once(first, second):
    """Return the outcomes of two moves on one hold of 60, and its member."""
    member = make_member(points=100)
    held = hold(member, 60, f"h{member.pk}")
    return run_together([partial(first, hold_id=held.pk), partial(second, hold_id=held.pk)]), member, held


capture_all = partial(holds.capture, reason="test")
capture_part = partial(holds.capture, points=25, reason="test")


def test_of_a_capture_and_a_release_at_once_one_happens():
    for _turn in range(8):
        outcomes, member, held = settle_at_once(capture_all, holds.release)
        held.refresh_from_db()
        assert len(only(holds.HoldEnded, outcomes)) == 1
        assert now_spendable(member) == (40 if held.state == "CAPTURED" else 100)


@pytest.mark.wrong_books
def test_without_the_lock_a_capture_and_a_release_can_both_happen(without_locks):
    outcomes = [outcome for _turn in range(8) for outcome in settle_at_once(capture_part, holds.release)[0]]
    assert len(only(holds.HoldEnded, outcomes)) < 8


def test_of_two_captures_at_once_the_second_answers_with_the_first():
    for _turn in range(5):
        (one, other), member, _held = settle_at_once(capture_all, capture_part)
        assert one.pk == other.pk
        assert now_spendable(member) == 100 + one.points


@pytest.mark.wrong_books
def test_without_the_lock_only_the_key_refuses_the_second_capture(without_locks):
    outcomes = [outcome for _turn in range(5) for outcome in settle_at_once(capture_all, capture_part)[0]]
    assert only(IntegrityError, outcomes)


def transfer(giver, receiver, key):
    return transfers.transfer(from_member_id=giver.pk, to_member_id=receiver.pk, points=10, key=key, reason="test")


def criss_cross(move):
    one, other = make_member(points=500), make_member(points=500)
    calls = [
        partial(move, *pair, f"{place}:{turn}")
        for turn in range(6)
        for place, pair in enumerate([(one, other), (other, one)])
    ]
    return run_together(calls), one, other


def test_transfers_in_both_directions_never_deadlock():
    outcomes, one, other = criss_cross(transfer)
    assert len(only(PointsEntry, outcomes)) == 12
    assert (now_spendable(one), now_spendable(other)) == (500, 500)


@transaction.atomic
def lock_as_they_come(giver, receiver, _key):
    """The mutant: locks the giver first, whoever it is."""
    posting.lock_account(giver.pk)
    time.sleep(0.05)
    posting.lock_account(receiver.pk)


def test_locking_the_giver_first_would_deadlock():
    outcomes, _one, _other = criss_cross(lock_as_they_come)
    assert only(OperationalError, outcomes)


def refund_at_once(entry):
    return run_together(
        [
            partial(posting.refund_spend, entry_id=entry.pk, key=f"r{place}", reason="test", points=30)
            for place in range(4)
        ]
    )


def test_refunds_at_once_give_back_no_more_than_was_spent():
    member = make_member(points=100)
    outcomes = refund_at_once(spend(member, 60, "s"))
    assert len(only(PointsEntry, outcomes)) == 2
    assert len(only(posting.MoreThanSpent, outcomes)) == 2
    assert now_spendable(member) == 100


@pytest.mark.wrong_books
def test_without_the_lock_refunds_at_once_give_back_too_much(monkeypatch, without_locks):
    slow = posting._not_given_back

    def slowly(*args):
        time.sleep(0.2)
        return slow(*args)

    monkeypatch.setattr(posting, "_not_given_back", slowly)
    member = make_member(points=100)
    outcomes = refund_at_once(spend(member, 60, "s"))
    # The size of the lot refuses some of them, the sum of what was spent none.
    assert len(only(posting.MoreThanSpent, outcomes)) == 0


def test_the_same_refund_at_once_happens_once():
    member = make_member(points=100)
    entry = spend(member, 60, "s")
    calls = [partial(posting.refund_spend, entry_id=entry.pk, key="r", reason="test", points=10)] * 6
    assert len({refund.pk for refund in run_together(calls)}) == 1
    assert now_spendable(member) == 50


def test_a_hold_that_runs_out_while_it_is_captured_ends_in_one_way():
    for _turn in range(6):
        member = make_member(points=100)
        held = hold(member, 60, f"h{member.pk}")
        before = held.expires_at - timedelta(seconds=1)
        run_together(
            [
                partial(holds.capture, hold_id=held.pk, reason="test", at=before),
                partial(holds.expire_holds, at=held.expires_at),
            ]
        )
        held.refresh_from_db()
        assert now_spendable(member) == {"CAPTURED": 40, "EXPIRED": 100}[held.state]


def merge(loser, survivor):
    with transaction.atomic():
        transfers.transfer_everything(
            from_member_id=loser.pk, to_member_id=survivor.pk, key=f"merge:{loser.pk}", reason="merge"
        )
        loser.merged_into = survivor
        loser.save(update_fields=["merged_into"])


def test_a_release_beside_a_merge_never_leaves_points_with_the_loser():
    for _turn in range(8):
        survivor, loser = make_member(points=1), make_member(points=100)
        held = hold(loser, 60, f"h{loser.pk}")
        outcomes = run_together([partial(merge, loser, survivor), partial(holds.release, hold_id=held.pk)])
        assert only(Exception, outcomes) == []
        assert (now_spendable(loser), now_spendable(survivor)) == (0, 101)


def spend_and_give(member, seed):
    for turn in range(25):
        spend(member, 3, f"{seed}:{turn}")
        give(member, 3)


def review_often():
    return [reviewing.review_accounts() for _turn in range(15)]


def test_work_that_goes_on_is_never_taken_for_wrong_books():
    members = [make_member(points=100) for _ in range(3)]
    outcomes = run_together([partial(spend_and_give, member, member.pk) for member in members] + [review_often])
    assert only(Exception, outcomes) == []
    assert {reviewed.blocked for (reviews,) in [only(list, outcomes)] for reviewed in reviews} == {0}


@pytest.mark.wrong_books
def test_a_balance_that_is_really_wrong_is_seen_beside_that_work():
    member, broken = make_member(points=100), make_member(points=100)
    PointsAccount.objects.filter(member=broken, point_type="SPENDABLE").update(balance=F("balance") + 1)
    outcomes = run_together([partial(spend_and_give, member, member.pk), review_often])
    assert sum(reviewed.blocked for (reviews,) in [only(list, outcomes)] for reviewed in reviews) == 1

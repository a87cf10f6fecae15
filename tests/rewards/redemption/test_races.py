"""Redeeming under contention, with real threads on both databases; some tests show that the rig sees a fault.

Those need PostgreSQL: on SQLite one writer at a time hides the fault.
"""

import os
import signal
import subprocess
import sys
import time
from functools import partial

import pytest
from django.db import IntegrityError

from members.ledger import pools, posting
from members.ledger.audit import find_problems
from members.ledger.statements import spendable_points
from members.models import PointsAccount, PointsEntry
from rewards.codes.models import Code
from rewards.codes.pool import NoCodesLeft
from rewards.redemption import redeeming
from rewards.redemption.fulfilment import NotPossible, cancel_redemption, mark_used
from rewards.redemption.models import Redemption
from rewards.redemption.redeeming import NotAvailable, redeem
from rewards.stock.models import RewardStock, StockMovement
from rewards.stock.movements import SoldOut
from tests.harness.races import only, run_together
from tests.harness.site import database_url
from tests.rewards.factories import NOON, make_member, make_redemption, make_reward

pytestmark = pytest.mark.django_db(transaction=True)


def wishes(members, reward, keys=None):
    """Return one redeem call for each member (or each key of one member)."""
    keys = keys or [f"key-{number}" for number in range(len(members))]
    return [
        partial(redeem, member_id=member.pk, reward_id=reward.pk, key=key, at=NOON)
        for member, key in zip(members, keys, strict=True)
    ]


def unexpected(results):
    """Return what is neither a redemption nor a refusal."""
    return [result for result in results if not isinstance(result, Redemption | NotAvailable)]


def test_twenty_clicks_on_one_form_are_one_redemption():
    member, reward = make_member(points=5000), make_reward(stock=50)
    results = run_together(wishes([member] * 20, reward, ["same"] * 20))
    assert {result.pk for result in only(Redemption, results)} == {Redemption.objects.get().pk}
    assert len(only(Redemption, results)) == 20
    assert spendable_points(member.pk, NOON) == 4900
    assert RewardStock.objects.get().on_hand == 49


def test_twenty_requests_with_points_for_five_get_five():
    member, reward = make_member(points=500), make_reward(stock=50)
    results = run_together(wishes([member] * 20, reward))
    assert not unexpected(results)
    assert len(only(Redemption, results)) == Redemption.objects.count() == 5
    assert spendable_points(member.pk, NOON) == 0


def test_a_limit_of_one_holds_against_twenty_requests():
    member, reward = make_member(points=5000), make_reward(stock=50, limits={"EVER": 1})
    results = run_together(wishes([member] * 20, reward))
    assert not unexpected(results)
    assert len(only(Redemption, results)) == 1


def test_twenty_members_for_the_last_five_pieces():
    members, reward = [make_member(points=100) for _ in range(20)], make_reward(stock=5)
    results = run_together(wishes(members, reward))
    assert not unexpected(results)
    assert len(only(Redemption, results)) == Redemption.objects.count() == 5
    assert RewardStock.objects.get().on_hand == 0
    assert sum(spendable_points(member.pk, NOON) for member in members) == 1500


def test_thirty_members_for_ten_codes_never_get_one_twice():
    codes = [f"CODE-{number}" for number in range(10)]
    members, reward = [make_member(points=100) for _ in range(30)], make_reward(stock=None, codes=codes)
    results = run_together(wishes(members, reward))
    assert not unexpected(results)
    given = [result.code for result in only(Redemption, results)]
    assert len(given) == len(set(given)) <= 10
    assert Code.objects.filter(state="GIVEN").count() == len(given) == Redemption.objects.count()


def test_every_code_finds_a_member_in_the_end():
    codes = [f"CODE-{number}" for number in range(10)]
    members, reward = [make_member(points=100) for _ in range(10)], make_reward(stock=None, codes=codes)
    results = run_together(wishes(members, reward))
    assert sorted(result.code for result in only(Redemption, results)) == codes


def test_members_after_two_rewards_in_opposite_order_never_deadlock():
    first, second = make_reward(stock=40), make_reward(stock=40)
    members = [make_member(points=1000) for _ in range(4)]
    calls = [
        call
        for number in range(5)
        for member in members
        for reward in ((first, second) if number % 2 else (second, first))
        for call in wishes([member], reward, [f"{number}-{reward.pk}"])
    ]
    results = run_together(calls)
    assert len(only(Redemption, results)) == len(calls) == 40


def test_twenty_cancellations_give_the_points_back_once():
    member, reward = make_member(points=100), make_reward(stock=1)
    redemption = make_redemption(member=member, reward=reward)
    call = partial(
        cancel_redemption,
        redemption_id=redemption.pk,
        by_seller=True,
        reason="broken",
        actor_id=None,
        at=NOON,
    )
    results = run_together([call] * 20)
    assert len(only(Redemption, results)) == 20
    assert spendable_points(member.pk, NOON) == 100
    assert RewardStock.objects.get().on_hand == 1


def test_used_or_cancelled_but_never_both():
    for _round in range(5):
        member, reward = make_member(points=100), make_reward(stock=1)
        redemption = make_redemption(member=member, reward=reward)
        use = partial(mark_used, redemption_id=redemption.pk, actor_id=None, at=NOON)
        cancel = partial(
            cancel_redemption, redemption_id=redemption.pk, by_seller=True, reason="x", actor_id=None, at=NOON
        )
        results = run_together([use, cancel])
        assert len(only(Redemption, results)) == len(only(NotPossible, results)) == 1
        redemption.refresh_from_db()
        expected = 100 if redemption.state == "CANCELLED" else 0
        assert spendable_points(member.pk, NOON) == expected


def stale_take(*, reward_id, redemption_id, at, store_id=None):
    """Break the rule on purpose: read the count, think, write it back."""
    StockMovement.objects.create(reward_id=reward_id, kind="TAKEN", quantity=-1, redemption_id=redemption_id, at=at)
    stock = RewardStock.objects.get(reward_id=reward_id)
    if stock.on_hand < 1:
        raise SoldOut
    time.sleep(0.05)
    stock.on_hand -= 1
    stock.save()


@pytest.mark.postgres
@pytest.mark.wrong_books
def test_the_rig_sees_stock_that_is_read_and_written_back(monkeypatch):
    members, reward = [make_member(points=100) for _ in range(20)], make_reward(stock=5)
    monkeypatch.setattr(redeeming, "take_one", stale_take)
    results = run_together(wishes(members, reward))
    assert len(only(Redemption, results)) > 5
    assert any(problem.startswith("oversold") for problem in find_problems())


@pytest.mark.postgres
@pytest.mark.wrong_books
def test_the_rig_sees_a_limit_counted_without_the_lock(monkeypatch):
    def no_lock(member_id):
        time.sleep(0.05)
        return pools.Pool(member_id, frozenset())

    member, reward = make_member(points=5000), make_reward(stock=50, limits={"EVER": 1})
    monkeypatch.setattr(pools, "lock_pool", no_lock)
    monkeypatch.setattr(posting, "spend", slow_spend)
    results = run_together(wishes([member] * 10, reward))
    assert len(only(Redemption, results)) > 1


def slow_spend(*, member_id, points, key, reason, data, at):
    """Write an entry as a spend would, without any lock."""
    time.sleep(0.05)
    account = PointsAccount.objects.get(point_type="SPENDABLE", member_id=member_id)
    return PointsEntry.objects.create(
        account=account, member_id=member_id, kind="REDEEM", contra="REDEEMED", points=-points, key=key,
        reason=reason, occurred_at=at, recorded_at=at,
    )  # fmt: skip


def stale_hand_out(*, reward_id, at):
    """Break the rule on purpose: read a free code without locking it."""
    code = Code.objects.free(reward_id).order_by("pk").first()
    if code is None:
        raise NoCodesLeft
    time.sleep(0.05)
    code.state, code.given_at = "GIVEN", at
    code.save()
    return code


@pytest.mark.postgres
def test_a_code_read_without_its_lock_is_stopped_by_the_database(monkeypatch):
    codes = [f"CODE-{number}" for number in range(5)]
    members, reward = [make_member(points=100) for _ in range(10)], make_reward(stock=None, codes=codes)
    monkeypatch.setattr(redeeming, "hand_out", stale_hand_out)
    results = run_together(wishes(members, reward))
    assert {type(problem) for problem in unexpected(results)} == {IntegrityError}
    assert Redemption.objects.count() == Redemption.objects.values("code").distinct().count()


KILLED = """
import os, sys, time
sys.path.insert(0, os.getcwd())
import django
django.setup()
from rewards.redemption import redeeming
def wait(**_ignored):
    print("between", flush=True)
    time.sleep(60)
redeeming.take_one = wait
redeeming.redeem(member_id=int(sys.argv[1]), reward_id=int(sys.argv[2]), key="killed")
"""


def test_a_process_killed_between_spending_and_commit_leaves_nothing():
    member, reward = make_member(points=100), make_reward(stock=1, codes=["CODE-1"])
    process = subprocess.Popen(
        [sys.executable, "-c", KILLED, str(member.pk), str(reward.pk)],
        env={**os.environ, "DATABASE_URL": database_url(), "DJANGO_SETTINGS_MODULE": "config.settings"},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "between\n"
    process.send_signal(signal.SIGKILL)
    process.wait()
    process.stdout.close()
    assert make_redemption(member=member, reward=reward, key="afterwards").code == "CODE-1"
    assert Redemption.objects.count() == PointsEntry.objects.filter(kind="REDEEM").count() == 1
    assert RewardStock.objects.get().on_hand == 0

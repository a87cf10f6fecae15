"""Many at one thing at once, and what a kill leaves; each guard is taken away once, to show that the rig sees it."""

import os
import signal
import subprocess
import sys
import time
from datetime import timedelta
from functools import partial

import pytest

from members.ledger import holds
from members.ledger.audit import find_problems
from members.ledger.statements import spendable_points
from members.models import PointsAccount
from rewards.codes.models import Code
from rewards.codes.pool import upload_codes
from rewards.redemption import fulfilment, holding
from rewards.redemption.fulfilment import NotPossible, cancel_redemption, expire_chunk, mark_used
from rewards.redemption.holding import capture_redemption, release_ended
from rewards.redemption.models import Redemption
from rewards.redemption.moves import read
from rewards.redemption.redeeming import NotAvailable, redeem
from rewards.stock.models import RewardStock
from tests.harness.races import only, run_together
from tests.harness.site import database_url
from tests.rewards.factories import NOON, make_member, make_redemption, make_reward

pytestmark = pytest.mark.django_db(transaction=True)

DAY = timedelta(days=1)


def wish(member, reward, key="k"):
    """Return one redeem call."""
    return partial(redeem, member_id=member.pk, reward_id=reward.pk, key=key, at=NOON)


def test_ten_pieces_one_each_for_twenty_members_who_click_three_times():
    reward = make_reward(stock=10, stock_slots=4, limits={"EVER": 1})
    members = [make_member(points=300) for _ in range(20)]
    results = run_together([wish(member, reward, str(click)) for click in range(3) for member in members])
    assert [result for result in results if not isinstance(result, Redemption | NotAvailable)] == []
    assert Redemption.objects.values("member").distinct().count() == Redemption.objects.count() == 10
    assert sum(RewardStock.objects.values_list("on_hand", flat=True)) == 0


def test_eighty_members_for_fifty_codes_while_more_are_uploaded():
    reward = make_reward(stock=None, codes=[f"CODE-{number}" for number in range(50)])
    members = [make_member(points=100) for _ in range(80)]
    more = [f"MORE-{number}" for number in range(20)]
    upload = partial(upload_codes, reward_id=reward.pk, lines=more, actor_id=None)
    calls = [wish(member, reward) for member in members]
    results = run_together([*calls[:40], upload]) + run_together(calls[40:])
    given = [done.code for done in only(Redemption, results)]
    assert 50 <= len(given) == len(set(given)) <= 70
    assert Code.objects.filter(state="GIVEN").count() == len(given)
    assert len(only(NotAvailable, results)) == 80 - len(given)


def test_points_for_one_reward_and_twenty_at_once():
    member, reward = make_member(points=100), make_reward(stock=50)
    results = run_together([wish(member, reward, str(number)) for number in range(20)])
    assert len(only(Redemption, results)) == 1
    assert len(only(NotAvailable, results)) == 19
    assert spendable_points(member.pk, NOON) == 0


def contend():
    """Let staff cancel and use, the clock expire, and another member want the piece, all at once."""
    reward = make_reward(stock=1, valid_days=1)
    redemption = make_redemption(member=make_member(points=100), reward=reward)
    said = {"redemption_id": redemption.pk, "actor_id": None}
    results = run_together([
        partial(cancel_redemption, by_seller=True, reason="x", at=NOON, **said),
        partial(mark_used, at=NOON, **said),
        partial(expire_chunk, at=NOON + 5 * DAY),
        wish(make_member(points=100), reward),
    ])  # fmt: skip
    redemption.refresh_from_db()
    return redemption, results


def test_cancelled_used_or_expired_but_one_of_them_only():
    for _round in range(4):
        redemption, results = contend()
        # The sweep may also have met what the other member redeemed: only what became of this one counts.
        moved = len(only(Redemption, results[:2])) + (redemption.state == "EXPIRED")
        assert moved == 1, results
        expected = 100 if redemption.state == "CANCELLED" else 0
        assert spendable_points(redemption.member_id, NOON) == expected
        assert isinstance(results[3], Redemption | NotAvailable)


def stale_move(redemption, wanted, **changes):
    """Break the rule on purpose: decide by what was read before, and write without a condition."""
    time.sleep(0.1)
    fresh = {"fulfilled_at": None, "cancelled_at": None, "cancel_reason": ""}
    Redemption.objects.filter(pk=redemption.pk).update(state=wanted, **fresh | changes)
    return read(redemption.pk)


@pytest.mark.postgres
@pytest.mark.wrong_books
def test_the_rig_sees_a_move_without_its_condition(monkeypatch):
    monkeypatch.setattr(fulfilment, "move", stale_move)
    reward = make_reward(stock=1)
    redemption = make_redemption(member=make_member(points=100), reward=reward)
    said = {"redemption_id": redemption.pk, "actor_id": None, "at": NOON}
    results = run_together([
        partial(cancel_redemption, by_seller=True, reason="x", **said), partial(mark_used, **said)
    ])  # fmt: skip
    assert len(only(Redemption, results)) == 2 or find_problems()


def pay_or_run_out(code="CODE-1"):
    """Let the money come in at the very moment at which the hold runs out."""
    reward = make_reward(stock=1, codes=[code], money_price=500)
    held = make_redemption(member=make_member(points=100), reward=reward)
    pay = partial(capture_redemption, redemption_id=held.pk, at=held.held_until - timedelta(seconds=1))
    results = run_together([pay, partial(release_ended, at=held.held_until, limit=5)])
    held.refresh_from_db()
    return held, results


def test_paid_or_released_but_never_both():
    for number in range(4):
        held, results = pay_or_run_out(f"CODE-{number}")
        paid, released = isinstance(results[0], Redemption), results[1] == 1
        assert paid != released, results
        assert held.state == ("CAPTURED" if paid else "RELEASED")
        assert spendable_points(held.member_id, held.held_until) == (0 if paid else 100)
        assert only(Exception, results) == ([] if paid else only(NotPossible, results))


@pytest.mark.postgres
@pytest.mark.wrong_books
def test_the_rig_sees_a_hold_that_is_ended_twice_without_its_guards(monkeypatch):
    def no_lock(account_id):
        account = PointsAccount.objects.get(pk=account_id)
        return account, account

    def stale_settle(held, *, state, at, captured=0, capture_entry=None):
        time.sleep(0.2)
        type(held).objects.filter(pk=held.pk).update(
            state=state, settled_at=at, captured=captured, capture_entry=capture_entry
        )

    monkeypatch.setattr(holds, "lock_with_survivor", no_lock)
    monkeypatch.setattr(holds, "settle", stale_settle)
    monkeypatch.setattr(holding, "move", stale_move)
    _held, results = pay_or_run_out()
    assert (isinstance(results[0], Redemption) and results[1] == 1) or find_problems()


PAUSED = """
import os, sys, time
sys.path.insert(0, os.getcwd())
import django
django.setup()
from datetime import datetime
from rewards.redemption import fulfilment, holding, redeeming
module, name, act, subject, reward = sys.argv[1:]
module = {"redeeming": redeeming, "holding": holding, "fulfilment": fulfilment}[module]
def wait(*_ignored, **_named):
    print("between", flush=True)
    time.sleep(60)
setattr(module, name, wait)
at = datetime.fromisoformat("2026-03-10T12:00:00+00:00")
if act == "redeem":
    redeeming.redeem(member_id=int(subject), reward_id=int(reward), key="killed", at=at)
elif act == "capture":
    holding.capture_redemption(redemption_id=int(subject), at=at)
elif act == "release":
    holding.release_redemption(redemption_id=int(subject), reason="x", at=at)
else:
    fulfilment.cancel_redemption(redemption_id=int(subject), by_seller=True, reason="x", actor_id=None, at=at)
"""


def killed(*words):
    """Run the program until it stands between two statements, and kill it there."""
    process = subprocess.Popen(
        [sys.executable, "-c", PAUSED, *map(str, words)],
        env={**os.environ, "DATABASE_URL": database_url(), "DJANGO_SETTINGS_MODULE": "config.settings"},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "between\n"
    process.send_signal(signal.SIGKILL)
    process.wait()
    process.stdout.close()


def state_of_things():
    """Return all that a redemption changes."""
    return (
        list(Redemption.objects.order_by("pk").values_list("state", "code", "refunded_points")),
        list(Code.objects.order_by("pk").values_list("state", flat=True)),
        list(RewardStock.objects.values_list("on_hand", flat=True)),
        list(PointsAccount.objects.order_by("pk").values_list("balance", flat=True)),
    )


@pytest.mark.parametrize(
    ("step", "money"),
    [("hand_out", None), ("tell_redeemed", None), ("take_one", None), ("set_aside", 500), ("write_event", 500)],
)
def test_a_redemption_killed_between_its_steps_leaves_nothing(step, money):
    member, reward = make_member(points=100), make_reward(stock=1, codes=["CODE-1"], money_price=money)
    before = state_of_things()
    killed("redeeming", step, "redeem", member.pk, reward.pk)
    assert state_of_things() == before
    assert make_redemption(member=member, reward=reward).state == ("HELD" if money else "CAPTURED")


@pytest.mark.parametrize(
    ("module", "step", "act", "money"),
    [
        ("holding", "give_reserved", "capture", 500),
        ("holding", "tell_redeemed", "capture", 500),
        ("holding", "free_again", "release", 500),
        ("holding", "return_one", "release", 500),
        ("fulfilment", "record", "cancel", None),
        ("fulfilment", "return_one", "cancel", None),
    ],
)
def test_a_move_killed_between_its_steps_leaves_all_as_it_was(module, step, act, money):
    reward = make_reward(stock=1, codes=["CODE-1"], money_price=money)
    redemption = make_redemption(member=make_member(points=100), reward=reward)
    before = state_of_things()
    killed(module, step, act, redemption.pk, reward.pk)
    assert state_of_things() == before

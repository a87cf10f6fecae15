"""P22: several processes write to one database, embedded or not: none is turned away, and every figure is exact."""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from members.ledger.models import PointsEntry
from members.ledger.statements import spendable_points
from members.lib.clock import database_now
from members.purchases.models import Purchase
from members.purchases.recording import record_purchase
from rewards.redemption.models import Redemption
from rewards.stock.models import RewardStock
from tests.factories import draft_purchase, make_member, make_rule
from tests.harness.site import ROOT, database_url
from tests.rewards.factories import make_reward

pytestmark = pytest.mark.django_db(transaction=True)

PROCESSES = 4
PURCHASES = 15
TRIES = 6

# Each process reports the same purchases as the others and a few of its own, and redeems as often as it can.
WORK = """
import sys, django; django.setup()
from datetime import datetime
from rewards.redemption.redeeming import NotAvailable, redeem
from members.accounts.models import Member
from members.purchases.recording import record_purchase
from tests.factories import draft_purchase
me, at = sys.argv[1], datetime.fromisoformat(sys.argv[2])
member_id, reward_id, purchases, tries = map(int, sys.argv[3:])
member = Member.objects.get(pk=member_id)
for place in range(purchases):
    record_purchase(draft=draft_purchase(member, 1000, number=f"shared-{place}", purchased_at=at))
    record_purchase(draft=draft_purchase(member, 1000, number=f"own-{me}-{place}", purchased_at=at))
done = 0
for place in range(tries):
    try:
        redeem(member_id=member_id, reward_id=reward_id, key=f"{me}-{place}")
        done += 1
    except NotAvailable:
        pass
print(done)
"""


def test_processes_that_award_and_redeem_at_once_agree_to_the_point():
    make_rule()
    member, reward = make_member(), make_reward(stock=4)
    words = [database_now().isoformat(), member.pk, reward.pk, PURCHASES, TRIES]
    outcomes = run_at_once([[str(me), *map(str, words)] for me in range(PROCESSES)])
    redeemed = sum(int(outcome) for outcome in outcomes)
    assert redeemed == 4
    assert Redemption.objects.count() == 4
    assert RewardStock.objects.get(reward=reward).on_hand == 0
    purchases = PURCHASES * (PROCESSES + 1)
    assert Purchase.objects.count() == purchases
    assert PointsEntry.objects.filter(kind=PointsEntry.Kind.EARN).count() == purchases
    assert spendable_points(member.pk, database_now()) == purchases * 10 - 4 * reward.points


# Reports purchases for ever, and notes each before it begins and after it is recorded.
NOTED = """
import os, sys, django; django.setup()
from datetime import datetime
from members.accounts.models import Member
from members.purchases.recording import record_purchase
from tests.factories import draft_purchase
member = Member.objects.get(pk=int(sys.argv[1]))
log, at = os.open(sys.argv[2], os.O_CREAT | os.O_APPEND | os.O_WRONLY), datetime.fromisoformat(sys.argv[3])
for place in range(100_000):
    number = f"{os.getpid()}-{place}"
    os.write(log, f"intent {number}\\n".encode()); os.fsync(log)
    record_purchase(draft=draft_purchase(member, 1000, number=number, purchased_at=at))
    os.write(log, f"done {number}\\n".encode()); os.fsync(log)
"""


def test_processes_killed_while_they_write_lose_nothing_they_acknowledged(tmp_path):
    make_rule()
    member = make_member()
    at, logs = database_now(), [tmp_path / str(place) for place in range(2)]
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", NOTED, str(member.pk), str(log), at.isoformat()], env=environment(), cwd=ROOT
        )
        for log in logs
    ]
    try:
        wait_until(lambda: all(len(noted(log, "done")) >= 10 for log in logs))
    finally:
        for process in processes:
            process.kill()
            process.wait()
    done, intended = (set().union(*(noted(log, word) for log in logs)) for word in ("done", "intent"))
    recorded = set(Purchase.objects.values_list("number", flat=True))
    assert done <= recorded <= intended
    for number in intended:
        record_purchase(draft=draft_purchase(member, 1000, number=number, purchased_at=at))
    assert spendable_points(member.pk, database_now()) == 10 * len(intended)


def noted(log: Path, word: str) -> set[str]:
    """Return the numbers that were noted under a word, whole lines only."""
    lines = log.read_text().split("\n")[:-1] if log.exists() else []
    return {line.split()[1] for line in lines if line.startswith(word)}


def wait_until(question: Callable[[], bool]) -> None:
    """Wait until the answer is true."""
    deadline = time.monotonic() + 30
    while not question():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def environment() -> dict[str, str]:
    """Return what a process needs to work on the database of this test."""
    return os.environ | {"DATABASE_URL": database_url(), "DJANGO_SETTINGS_MODULE": "config.settings"}


def run_at_once(arguments: list[list[str]]) -> list[str]:
    """Run the work in one process each, all at once; return what they print. None of them may complain."""
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", WORK, *words],
            env=environment(),
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for words in arguments
    ]
    outputs = [process.communicate(timeout=60) for process in processes]
    assert [process.returncode for process in processes] == [0] * len(processes), [said for _out, said in outputs]
    assert not any("locked" in said for _out, said in outputs)
    return [out for out, _said in outputs]

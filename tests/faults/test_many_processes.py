"""P22: several processes write to one database, embedded or not: none is turned away, and every figure is exact."""

import os
import subprocess
import sys

import pytest

from members.ledger.models import PointsEntry
from members.ledger.statements import spendable_points
from members.lib.clock import database_now
from members.purchases.models import Purchase
from rewards.redemption.models import Redemption
from rewards.stock.models import RewardStock
from tests.factories import make_member, make_rule
from tests.harness.site import ROOT, database_url
from tests.rewards.factories import make_reward

pytestmark = pytest.mark.django_db(transaction=True)

PROCESSES = 4
PURCHASES = 15
TRIES = 6

# Each process reports the same purchases as the others and a few of its own, and redeems as often as it can.
WORK = """
import sys, django; django.setup()
from rewards.redemption.redeeming import NotAvailable, redeem
from members.accounts.models import Member
from members.purchases.recording import record_purchase
from tests.factories import draft_purchase
me, member_id, reward_id, purchases, tries = sys.argv[1], *map(int, sys.argv[2:])
member = Member.objects.get(pk=member_id)
for place in range(purchases):
    record_purchase(draft=draft_purchase(member, 1000, number=f"shared-{place}"))
    record_purchase(draft=draft_purchase(member, 1000, number=f"own-{me}-{place}"))
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
    words = [member.pk, reward.pk, PURCHASES, TRIES]
    outcomes = run_at_once([[str(me), *map(str, words)] for me in range(PROCESSES)])
    redeemed = sum(int(outcome) for outcome in outcomes)
    assert redeemed == 4
    assert Redemption.objects.count() == 4
    assert RewardStock.objects.get(reward=reward).on_hand == 0
    purchases = PURCHASES * (PROCESSES + 1)
    assert Purchase.objects.count() == purchases
    assert PointsEntry.objects.filter(kind=PointsEntry.Kind.EARN).count() == purchases
    assert spendable_points(member.pk, database_now()) == purchases * 10 - 4 * reward.points


def run_at_once(arguments: list[list[str]]) -> list[str]:
    """Run the work in one process each, all at once; return what they print. None of them may complain."""
    environment = os.environ | {"DATABASE_URL": database_url(), "DJANGO_SETTINGS_MODULE": "config.settings"}
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", WORK, *words],
            env=environment,
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

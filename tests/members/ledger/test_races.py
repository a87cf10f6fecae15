"""The money module under concurrency, on a real PostgreSQL.

Each rule has a negative control: the same race against code without the rule must go wrong, or the race sees nothing.
"""

import os
import random
import signal
import subprocess
import sys
import threading
import time
from dataclasses import replace
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest
from django.db import connection, transaction
from django.db.models import F, Sum
from django.utils import timezone

from members.ledger import expiry, posting
from members.ledger.expiry_sql import expire_lots
from members.ledger.models import PointsAccount, PointsEntry, PointsLot
from members.ledger.statements import spendable_points
from members.purchases.models import Purchase
from members.purchases.recording import record_purchase, record_purchases
from tests.factories import NOW, buy, draft_purchase, give, make_member, make_rule
from tests.harness.races import run_together
from tests.harness.site import database_url

pytestmark = [pytest.mark.postgres, pytest.mark.ledger_alone, pytest.mark.django_db(transaction=True)]


def test_twenty_redemptions_at_once_spend_a_balance_for_five_exactly_five_times():
    member = make_member(points=500)
    calls = [
        partial(posting.spend, member_id=member.pk, points=100, key=f"k{place}", reason="test") for place in range(20)
    ]
    outcomes = run_together(calls)
    assert sum(isinstance(outcome, PointsEntry) for outcome in outcomes) == 5
    assert sum(isinstance(outcome, posting.InsufficientPoints) for outcome in outcomes) == 15
    assert spendable_points(member.pk, timezone.now()) == 0


def spend_without_lock(member_id, key):
    """The mutant: reads what can be spent before it has the account."""
    with transaction.atomic():
        spendable = PointsLot.objects.filter(member_id=member_id).aggregate(total=Sum("remaining"))["total"]
        time.sleep(0.05)
        account = PointsAccount.objects.select_for_update().get(point_type="SPENDABLE", member_id=member_id)
        if spendable < 100:
            return False
        PointsAccount.objects.filter(pk=account.pk).update(debt=F("debt") + 100, balance=F("balance") - 100)
    return True


@pytest.mark.wrong_books
def test_the_race_sees_a_missing_lock():
    member = make_member(points=500)
    outcomes = run_together([partial(spend_without_lock, member.pk, f"k{place}") for place in range(20)])
    assert outcomes.count(True) > 5


def test_the_same_key_at_once_spends_once():
    member = make_member(points=500)
    outcomes = run_together([partial(posting.spend, member_id=member.pk, points=100, key="k", reason="test")] * 8)
    assert len({outcome.pk for outcome in outcomes}) == 1
    assert spendable_points(member.pk, timezone.now()) == 400


def test_the_same_document_at_once_is_recorded_once():
    make_rule()
    draft = draft_purchase(make_member())
    outcomes = run_together([partial(record_purchase, draft=draft)] * 12)
    assert sum(outcome.is_new for outcome in outcomes) == 1
    assert {outcome.points for outcome in outcomes} == {19}
    assert PointsEntry.objects.count() == 1


def test_a_debt_that_appears_meanwhile_is_still_paid_first():
    make_rule()
    member = make_member()
    PointsAccount.objects.filter(member=member, point_type="SPENDABLE").update(balance=-5, debt=5)
    PointsEntry.objects.create(
        account=PointsAccount.objects.get(point_type="SPENDABLE"),
        member=member,
        kind="TAKE_BACK",
        contra="REVERSED",
        points=-5,
        key="owed",
        breakdown={"debt": 5},
        occurred_at=NOW,
        recorded_at=NOW,
    )
    outcomes = run_together([partial(buy, member, number=str(place)) for place in range(6)])
    assert all(outcome.points == 19 for outcome in outcomes)
    account = PointsAccount.objects.get(point_type="SPENDABLE")
    assert (account.balance, account.debt) == (6 * 19 - 5, 0)


def test_overlapping_batches_singles_spends_and_sweeps_never_deadlock_and_keep_the_books():
    make_rule()
    members = [make_member(points=50) for _ in range(20)]
    drafts = [draft_purchase(chosen, number=str(place)) for place, chosen in enumerate(members * 10)]
    before = deadlocks()
    outcomes = run_together(
        [partial(shop_around, seed, drafts) for seed in range(3)]
        + [partial(shop_one_by_one, drafts[::-1])]
        + [partial(spend_around, seed, members) for seed in range(2)]
        + [partial(sweep_around, members)]
    )
    assert [outcome for outcome in outcomes if isinstance(outcome, Exception)] == []
    assert deadlocks() == before
    assert Purchase.objects.count() == len(drafts)


def deadlocks():
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_stat_force_next_flush(), deadlocks FROM pg_stat_database WHERE datname = current_database()"
        )
        return cursor.fetchone()[1]


def shop_around(seed, drafts):
    chance = random.Random(seed)
    for _ in range(8):
        record_purchases(drafts=chance.sample(drafts, 60))
    for start in range(0, len(drafts), 50):
        record_purchases(drafts=chance.sample(drafts[start : start + 50], 50))


def shop_one_by_one(drafts):
    for draft in drafts:
        record_purchase(draft=draft)


def spend_around(seed, members):
    chance = random.Random(seed)
    for turn in range(60):
        try:
            posting.spend(
                member_id=chance.choice(members).pk, points=chance.randint(1, 40), key=f"{seed}:{turn}", reason="test"
            )
        except posting.InsufficientPoints:
            continue


def sweep_around(members):
    for turn in range(10):
        give(members[turn], 5, at=timezone.now() - timedelta(days=2), expires_at=timezone.now() - timedelta(days=1))
        expiry.expire_due()


def test_a_spend_and_the_sweep_at_the_end_of_a_lot_never_both_take_it():
    for _turn in range(5):
        member = make_member()
        end = timezone.now() + timedelta(milliseconds=150)
        give(member, 100, expires_at=end)
        time.sleep(0.12)
        run_together(
            [
                partial(posting.spend, member_id=member.pk, points=100, key=f"s{member.pk}", reason="test"),
                partial(expiry.expire_due, at=end),
            ]
        )
        taken = PointsEntry.objects.filter(member=member, points__lt=0).aggregate(total=Sum("points"))["total"]
        assert taken == -100


def hold_the_account_while_spending(member, ready, seconds=0.4):
    with transaction.atomic():
        posting.spend(member_id=member.pk, points=60, key=f"held{member.pk}", reason="test")
        ready.set()
        time.sleep(seconds)


def sweep_when(ready, sweep):
    assert ready.wait(10)
    sweep()


def sweep_without_lock(member, at):
    """The mutant: decides in the statement that waits, on figures from before the wait."""
    accounts = PointsAccount.objects.filter(member=member, point_type="SPENDABLE")
    with transaction.atomic():
        expire_lots(list(accounts.values_list("pk", flat=True)), at=at, now=at)


def spend_60_of_100_while(sweep):
    member = make_member()
    end = timezone.now() + timedelta(seconds=1)
    give(member, 100, expires_at=end)
    give(member, 500)
    ready = threading.Event()
    outcomes = run_together(
        [
            partial(hold_the_account_while_spending, member, ready),
            partial(sweep_when, ready, partial(sweep, member, end)),
        ]
    )
    assert outcomes == [None, None]
    return PointsEntry.objects.get(member=member, kind="EXPIRE").points


def test_a_redemption_that_is_not_committed_yet_at_the_end_is_honoured_and_only_the_rest_expires():
    assert spend_60_of_100_while(lambda member, end: expiry.expire_due(at=end)) == -40


@pytest.mark.wrong_books
def test_the_race_sees_a_sweep_that_did_not_lock_first():
    assert spend_60_of_100_while(sweep_without_lock) == -100


SWEPT = """
import django
django.setup()
from members.ledger import expiry
expiry.RANGE = expiry.MOST = 4
expiry.expire_due()
"""


def test_a_sweep_that_is_killed_in_the_middle_leaves_whole_ranges_and_the_next_one_finishes():
    now = timezone.now()
    members = [make_member() for _ in range(300)]
    for member in members:
        give(member, 10, at=now - timedelta(days=3), expires_at=now - timedelta(days=1))
    environment = os.environ | {"DATABASE_URL": database_url(), "DJANGO_SETTINGS_MODULE": "config.settings"}
    process = subprocess.Popen([sys.executable, "-c", SWEPT], env=environment, cwd=ROOT)
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline and PointsEntry.objects.filter(kind="EXPIRE").count() < 20:
        time.sleep(0.005)
    process.send_signal(signal.SIGKILL)
    process.wait()
    done = PointsEntry.objects.filter(kind="EXPIRE").count()
    assert 20 <= done < 300
    assert expiry.expire_due().accounts == 300 - done
    assert PointsEntry.objects.filter(kind="EXPIRE").aggregate(total=Sum("points"))["total"] == -3000


KILLED = """
import os, sys, django
django.setup()
from members.accounts.models import Member
from members.purchases.recording import record_purchase
from tests.factories import NOW, draft_purchase
member = Member.objects.get(pk=int(sys.argv[1]))
log = os.open(sys.argv[2], os.O_WRONLY | os.O_CREAT | os.O_APPEND)
number = 0
while True:
    number += 1
    os.write(log, f"intent {number}\\n".encode()); os.fsync(log)
    record_purchase(draft=draft_purchase(member, number=str(number)))
    os.write(log, f"done {number}\\n".encode()); os.fsync(log)
"""


def test_an_acknowledged_award_survives_a_kill_and_a_repeat_adds_nothing(tmp_path):
    make_rule()
    member = make_member()
    log = tmp_path / "log"
    for _round in range(3):
        kill_in_the_middle(member, log)
    words = [line.split() for line in log.read_text().splitlines()]
    acknowledged = {number for word, number in words if word == "done"}
    intended = {number for word, number in words if word == "intent"}
    recorded = set(Purchase.objects.values_list("number", flat=True))
    assert acknowledged
    assert acknowledged <= recorded <= intended
    for number in intended:
        record_purchase(draft=draft_purchase(member, number=number))
    assert PointsEntry.objects.count() == len(intended)


def kill_in_the_middle(member, log):
    environment = os.environ | {"DATABASE_URL": database_url(), "DJANGO_SETTINGS_MODULE": "config.settings"}
    process = subprocess.Popen([sys.executable, "-c", KILLED, str(member.pk), str(log)], env=environment, cwd=ROOT)
    deadline = time.monotonic() + 30
    size = log.stat().st_size if log.exists() else 0
    while time.monotonic() < deadline and (not log.exists() or log.stat().st_size < size + 200):
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.wait()


ROOT = Path(__file__).resolve().parents[3]


def test_repeating_with_other_content_at_once_lets_one_win():
    make_rule()
    draft = draft_purchase(make_member())
    drafts = [replace(draft, purchased_at=NOW + timedelta(minutes=place)) for place in range(6)]
    outcomes = run_together([partial(record_purchases, drafts=[each]) for each in drafts])
    assert sum(not outcome[0].differs for outcome in outcomes) == 1
    assert PointsEntry.objects.count() == 1

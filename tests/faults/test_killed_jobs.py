"""P1 and P3: jobs over all members are killed at any moment and run again: the result of an undisturbed run."""

import os
import random
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from members.accounts.models import Member
from members.events.models import Event
from members.jobs.models import JobRun
from members.ledger.audit import find_problems
from members.ledger.models import PointsAccount, PointsEntry
from members.purchases.drafts import DraftLine
from members.purchases.models import Return
from members.tiers.changes import recalculate_changed
from members.tiers.models import Standing
from tests.factories import buy, make_member, make_rule, make_tiers
from tests.harness.site import ROOT, database_url
from tests.members.purchases.test_returns import draft_return

pytestmark = pytest.mark.django_db(transaction=True)

MEMBERS = 120
BOUGHT = datetime(2026, 3, 2, 12, tzinfo=UTC)
# Who bought for so many pounds: some stay, some rise, some skip a tier.
POUNDS = [499, 500, 1500, 2000]

# The job runs as a scheduled run whose lease has just ended: it carries on from its checkpoint.
TIERS = """
import sys, django; django.setup()
from datetime import timedelta
from members.jobs import schedule
from members.jobs.models import JobRun
from members.lib.clock import database_now
from members.tiers import changes, recalculation
recalculation.RANGE = changes.CHUNK = 3
JobRun.objects.update(lease_until=database_now() - timedelta(seconds=1))
schedule.run_due()
"""

RETURNS = """
import sys, django; django.setup()
from members.accounts.models import Member
from members.purchases.returns import record_returns
from tests.faults.test_killed_jobs import returned_by
drafts = [returned_by(member) for member in Member.objects.order_by("pk")]
for first in range(0, len(drafts), 3):
    record_returns(drafts=drafts[first : first + 3])
"""


def returned_by(member: Member):
    """Return the draft of a return of the member's whole purchase, the same each time."""
    line = DraftLine("TEA", 1, pounds_of(member.pk) * 100)
    return draft_return(member, line, number=f"C-{member.pk}", returned_at=BOUGHT + timedelta(days=1))


def pounds_of(member_id: int) -> int:
    """Return for how many pounds the member buys."""
    return POUNDS[member_id % len(POUNDS)]


def open_shop() -> None:
    """Let everybody join."""
    make_rule()
    make_tiers()
    for _place in range(MEMBERS):
        make_member(joined_at=BOUGHT - timedelta(days=1))


def let_everybody_buy() -> None:
    """Let everybody buy once."""
    for member in Member.objects.order_by("pk"):
        buy(member, amount=pounds_of(member.pk) * 100, purchased_at=BOUGHT)


def run_until_done(work: str, done: Callable[[], int], *, whole: int, seed: int) -> int:
    """Start the work and kill it after a random part of what is left, until it is done; return the number of kills."""
    chance, kills = random.Random(seed), 0
    while True:
        before = done()
        wanted = before + chance.randint(1, whole // 3)
        process = subprocess.Popen([sys.executable, "-c", work], env=environment(), cwd=ROOT)
        try:
            deadline = time.monotonic() + 60
            while process.poll() is None and (done() < wanted or wanted >= whole):
                assert time.monotonic() < deadline
                time.sleep(chance.uniform(0.001, 0.01))
        finally:
            process.kill()
            code = process.wait()
        if code == 0:
            return kills
        assert find_problems() == []
        kills += 1


def environment() -> dict[str, str]:
    """Return what a process needs to work on the database of this test."""
    return os.environ | {"DATABASE_URL": database_url(), "DJANGO_SETTINGS_MODULE": "config.settings"}


@pytest.mark.parametrize(
    ("job", "ran_before"), [("recalculate-tiers", True), ("recalculate-tiers", False), ("recalculate-all-tiers", False)]
)
def test_a_run_over_the_tiers_that_is_killed_again_and_again_moves_everybody_once(job, ran_before):
    """The nightly run over those who bought since the last one, a first run over all, and the weekly one."""
    open_shop()
    if ran_before:
        recalculate_changed(at=BOUGHT - timedelta(hours=1))
    let_everybody_buy()
    JobRun.objects.all().delete()
    JobRun.objects.create(job=job, period_start=BOUGHT, state=JobRun.State.DUE)
    kills = run_until_done(TIERS, risen, whole=MEMBERS * 3 // 4, seed=1)
    assert kills >= 2
    assert JobRun.objects.get().state == JobRun.State.DONE
    held = list(Standing.objects.filter(until_at=None).values_list("member", "tier__rank").order_by("member"))
    assert held == [(pk, rank_on_paper(pk)) for pk in Member.objects.order_by("pk").values_list("pk", flat=True)]
    assert Event.objects.filter(kind="tier.changed", data__direction="up").count() == risen()


def risen() -> int:
    """Return how many hold more than the lowest tier."""
    return Standing.objects.filter(until_at=None, tier__rank__gt=0).count()


def rank_on_paper(member_id: int) -> int:
    """Return the tier that the member's pounds reach: 500 and 1500 points."""
    return (pounds_of(member_id) >= 500) + (pounds_of(member_id) >= 1500)


def test_batches_of_returns_that_are_killed_again_and_again_take_everything_once():
    open_shop()
    let_everybody_buy()
    kills = run_until_done(RETURNS, Return.objects.count, whole=MEMBERS, seed=2)
    assert kills >= 2
    assert Return.objects.count() == PointsEntry.objects.filter(kind="RETURN").count() == MEMBERS
    assert set(PointsAccount.objects.values_list("balance", flat=True)) == {0}

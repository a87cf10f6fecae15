"""Caps and budgets under concurrency, on a real PostgreSQL; with a negative control for what makes them safe."""

import time
from functools import partial

import pytest

from members.ledger import awarding
from members.ledger.award_rows import CounterKey
from members.ledger.models import Counter, PointsEntry
from members.ledger.statements import balance_of
from tests.factories import NOW, buy, make_cap, make_member, make_rule
from tests.harness.races import run_together

pytestmark = [pytest.mark.postgres, pytest.mark.ledger_alone, pytest.mark.django_db(transaction=True)]


def given():
    return sum(PointsEntry.objects.filter(kind="EARN").values_list("points", flat=True))


def test_one_member_at_many_tills_never_gets_more_than_the_cap():
    make_rule()
    make_cap(limit=100, period="MONTH")
    member = make_member()
    outcomes = run_together([partial(buy, member, amount=3000, number=str(place)) for place in range(12)])
    assert sorted(outcome.points for outcome in outcomes) == [0] * 8 + [10, 30, 30, 30]
    assert (given(), Counter.objects.get().used) == (100, 100)
    assert balance_of(member.pk, NOW).spendable == 100


def test_many_members_at_once_never_get_more_than_the_budget():
    make_rule()
    make_cap(limit=100, period="DAY", of_everybody=True)
    make_cap(limit=20, period="DAY")
    members = [make_member() for _ in range(12)]
    outcomes = run_together([partial(buy, member, amount=3000) for member in members])
    assert sorted(outcome.points for outcome in outcomes) == [0] * 7 + [20] * 5
    assert (given(), Counter.objects.get(member_id=0).used) == (100, 100)


def read_without_lock(keys):
    """The mutant: reads the counters without locking them, and takes its time."""
    for key in keys:
        Counter.objects.get_or_create(name=key.name, member_id=key.member_id, period=key.period)
    rows = Counter.objects.all().values_list("name", "member_id", "period", "used")
    used = {CounterKey(name, member_id, period.isoformat()): used for name, member_id, period, used in rows}
    time.sleep(0.1)
    return used


def test_the_race_sees_a_missing_lock_of_the_counters(monkeypatch):
    make_rule()
    make_cap(limit=100, period="DAY", of_everybody=True)
    Counter.objects.create(name=f"cap:{make_cap(limit=1, is_active=False).pk - 1}", member_id=0, period="2026-06-15")
    members = [make_member() for _ in range(8)]
    monkeypatch.setattr(awarding, "_lock_counters", read_without_lock)
    run_together([partial(buy, member, amount=3000) for member in members])
    assert given() > 100

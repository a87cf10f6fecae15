"""Standings under concurrency, on a real PostgreSQL: one open standing, one event, whoever comes first."""

import time
from functools import partial

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from members.events.models import Event
from members.tiers import alike, granting
from members.tiers.counting import Who
from members.tiers.models import Standing, Tier, TierSet
from members.tiers.moving import plan_moves, write_moves
from members.tiers.placing import find_places, structure_of
from members.tiers.recalculation import recalculate
from tests.factories import buy, make_member, make_rule, make_tiers
from tests.harness.races import run_together

pytestmark = [pytest.mark.postgres, pytest.mark.ledger_alone, pytest.mark.django_db(transaction=True)]


def member_who_rises():
    make_rule()
    make_tiers()
    member = make_member()
    recalculate()
    buy(member, 50_000, purchased_at=timezone.now())
    return member


def test_four_workers_at_once_move_a_member_once():
    member = member_who_rises()
    outcomes = run_together([recalculate] * 4)
    assert sorted(outcome["up"] for outcome in outcomes) == [0, 0, 0, 1]
    assert Standing.objects.get(member=member, until_at=None).tier.code == "silver"
    assert Event.objects.filter(kind="tier.changed").count() == 1


@transaction.atomic
def move_without_lock(member_id):
    """The mutant: writes what it decided before it had the member."""
    structure = structure_of(TierSet.objects.get(is_current=True))
    at = timezone.now()
    moves = plan_moves(structure, find_places(structure, Who(member_id, member_id), at), at)
    time.sleep(0.1)
    write_moves(structure, moves, at, backfilled=False)


def test_the_race_sees_a_missing_lock():
    member = member_who_rises()
    outcomes = run_together([partial(move_without_lock, member.pk)] * 4)
    assert any(isinstance(outcome, IntegrityError) for outcome in outcomes)


def test_the_race_of_sets_sees_a_missing_lock(monkeypatch):
    """The mutant writes what it decided together before it has the members."""
    member_who_rises()
    decide = alike._decide

    def slowly(*words):
        time.sleep(0.2)
        return decide(*words)

    monkeypatch.setattr(alike, "_LOCK", "SELECT 1")
    monkeypatch.setattr(alike, "_decide", slowly)
    outcomes = run_together([recalculate] * 4)
    assert any(isinstance(outcome, IntegrityError) for outcome in outcomes)


def test_four_workers_at_once_start_everybody_once():
    make_rule()
    make_tiers()
    members = [make_member() for _ in range(40)]
    outcomes = run_together([recalculate] * 4)
    started: list[int] = [outcome["start"] for outcome in outcomes]
    assert sum(started) == len(members)
    assert Standing.objects.filter(until_at=None).count() == Standing.objects.count() == len(members)


def test_a_decision_and_a_purchase_at_once_both_count():
    member = member_who_rises()
    give = partial(
        granting.grant_tier,
        member_id=member.pk,
        tier_id=Tier.objects.get(code="gold").pk,
        until=None,
        why="PAID",
        reason="x",
        key="g",
    )
    outcomes = run_together([give, recalculate, give, recalculate])
    assert not any(isinstance(outcome, Exception) for outcome in outcomes), outcomes
    recalculate()
    standing = Standing.objects.get(member=member, until_at=None)
    assert (standing.tier.code, standing.earned.code) == ("gold", "silver")

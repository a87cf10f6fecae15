"""Standings: up at once, down at review, set-based and repeatable."""

import random
from datetime import timedelta

import pytest
from django.utils import timezone

from members import work
from members.events import readers
from members.events.models import Event
from members.jobs import schedule
from members.jobs.models import JobRun
from members.ledger import posting
from members.purchases.drafts import DraftLine
from members.purchases.returns import record_return
from members.tiers import recalculation
from members.tiers.evaluation import Criterion, Ladder, Rung, reached
from members.tiers.models import Standing, Tier, TierSet
from members.tiers.standing import current_standing, progress
from tests.factories import buy, give, make_member, make_rule, make_tiers
from tests.members.purchases.test_returns import draft_return

pytestmark = [pytest.mark.django_db, pytest.mark.ledger_alone]


def rank(member):
    standing = current_standing(member.pk)
    return standing.tier.rank if standing else None


def shop(member, points, **fields):
    return buy(member, amount=points * 100, purchased_at=fields.pop("at", timezone.now()), **fields)


def test_a_member_rises_as_soon_as_the_worker_reads_the_purchase():
    make_rule()
    make_tiers()
    member = make_member()
    shop(member, 500)
    work.do_due_work()
    assert rank(member) == 1
    assert Standing.objects.get(until_at=None).qualified == 500


def test_one_point_less_is_not_enough():
    make_rule()
    make_tiers()
    member = make_member()
    shop(member, 499)
    recalculation.recalculate()
    assert rank(member) == 0


def test_a_member_can_skip_a_tier():
    make_rule()
    make_tiers()
    member = make_member()
    shop(member, 1500)
    recalculation.recalculate()
    assert rank(member) == 2


def test_gifts_do_not_count():
    make_tiers()
    member = make_member()
    give(member, 5000)
    recalculation.recalculate()
    assert rank(member) == 0


def test_spending_points_does_not_lower_the_figure():
    make_rule()
    make_tiers()
    member = make_member()
    shop(member, 500)
    posting.spend(member_id=member.pk, points=500, key="s", reason="test")
    recalculation.recalculate()
    assert rank(member) == 1


def test_recalculating_twice_changes_nothing_the_second_time():
    make_rule()
    make_tiers()
    shop(make_member(), 500)
    assert recalculation.recalculate()["start"] == 1
    assert recalculation.recalculate() == {"up": 0, "down": 0, "start": 0, "kept": 0, "grace": 0, "unchanged": 1}


def test_a_tier_falls_only_after_it_was_kept_long_enough():
    make_rule()
    make_tiers(window_months=12, keep_months=12)
    member = make_member()
    shop(member, 500)
    recalculation.recalculate()
    kept = Standing.objects.get(until_at=None).keep_until
    recalculation.recalculate(at=kept - timedelta(seconds=1))
    assert rank(member) == 1
    assert recalculation.recalculate(at=kept)["down"] == 1
    assert rank(member) == 0


def test_a_return_lowers_the_tier_only_at_the_review():
    make_rule()
    make_tiers()
    member = make_member()
    shop(member, 500)
    recalculation.recalculate()
    record_return(draft=draft_return(member, DraftLine("TEA", 1, 50_000), returned_at=timezone.now()))
    recalculation.recalculate()
    assert rank(member) == 1
    assert progress(member.pk, timezone.now()).qualified == 0


def test_a_change_is_told_to_the_log_with_its_direction_and_the_start_is_not():
    make_rule()
    make_tiers()
    member = make_member()
    recalculation.recalculate()
    assert not Event.objects.filter(kind="tier.changed").exists()
    shop(member, 500)
    recalculation.recalculate()
    assert Event.objects.get(kind="tier.changed").data["direction"] == "up"


def test_an_import_moves_tiers_in_silence():
    make_rule()
    make_tiers()
    member = make_member()
    recalculation.recalculate()
    shop(member, 500, backfilled=True)
    readers.read_all()
    assert rank(member) == 0
    recalculation.recalculate(backfilled=True)
    assert rank(member) == 1
    assert Event.objects.get(kind="tier.changed").backfilled


def test_by_spend_counts_money_and_takes_returns_off():
    make_tiers(thresholds=(0, 5000), basis=TierSet.Basis.SPEND)
    member = make_member()
    buy(member, amount=6000, purchased_at=timezone.now() - timedelta(days=2))
    record_return(draft=draft_return(member, DraftLine("TEA", 1, 6000), returned_at=timezone.now()))
    assert progress(member.pk, timezone.now()).qualified == 0
    buy(member, amount=5000, purchased_at=timezone.now())
    recalculation.recalculate()
    assert rank(member) == 1


def test_purchases_before_the_window_do_not_count():
    make_rule()
    make_tiers(window_months=12)
    member = make_member()
    shop(member, 500, at=timezone.now() - timedelta(days=400))
    recalculation.recalculate()
    assert rank(member) == 0


def test_progress_says_what_is_missing_to_the_next_tier():
    make_rule()
    make_tiers()
    member = make_member()
    shop(member, 620)
    recalculation.recalculate()
    told = progress(member.pk, timezone.now())
    assert (told.current.name, told.next.name, told.qualified, told.needed) == ("Silver", "Gold", 620, 880)


def test_the_job_reports_what_it_did_and_resumes_at_its_range(monkeypatch):
    monkeypatch.setattr(recalculation, "RANGE", 1)
    make_rule()
    make_tiers()
    members = [make_member() for _ in range(3)]
    run = JobRun.objects.create(
        job="recalculate-tiers",
        period_start=timezone.now(),
        state="RUNNING",
        attempts=1,
        cursor=members[1].pk,
    )
    result = recalculation.recalculate(turn=schedule.Turn(run))
    assert result["start"] == 2
    assert rank(members[0]) is None


@pytest.mark.parametrize("seed", range(3))
def test_the_set_and_the_pure_rule_agree_on_random_members(seed):
    chance = random.Random(seed)
    make_rule()
    make_tiers()
    members = [make_member() for _ in range(12)]
    for member in members:
        for _ in range(chance.randrange(4)):
            shop(member, chance.choice([1, 250, 499, 500, 501, 1499, 1500]))
    recalculation.recalculate()
    rungs = [Rung(tier.pk, tier.rank, (Criterion("POINTS", tier.threshold),)) for tier in Tier.objects.all()]
    for member in members:
        earned = sum(entry.points for entry in member.points_entries.all())
        assert rank(member) == reached({"POINTS": earned}, Ladder(rungs)).rank

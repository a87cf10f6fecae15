"""Expiry: each lot once, at its end, on the books after the fact."""

from datetime import timedelta

import pytest
from django.utils import timezone

from members.events.models import Event
from members.jobs import schedule
from members.jobs.models import JobRun
from members.ledger import expiry, posting
from members.ledger.models import PointsAccount, PointsEntry
from members.ledger.statements import balance_of
from tests.factories import give, make_member

pytestmark = [pytest.mark.django_db, pytest.mark.ledger_alone]


def member_with_a_past_lot(points=100):
    member = make_member()
    now = timezone.now()
    give(member, points, at=now - timedelta(days=30), expires_at=now - timedelta(days=1))
    return member


def test_a_lot_past_its_end_leaves_the_balance_with_one_entry_and_one_event():
    member = member_with_a_past_lot()
    swept = expiry.expire_due()
    assert (swept.accounts, swept.lots, swept.points) == (1, 1, 100)
    assert PointsAccount.objects.get(point_type="SPENDABLE", member=member).balance == 0
    assert PointsEntry.objects.get(kind="EXPIRE").points == -100
    assert Event.objects.get(kind="points.expired").data["points"] == -100


def test_sweeping_twice_expires_once():
    member_with_a_past_lot()
    expiry.expire_due()
    assert expiry.expire_due().lots == 0
    assert PointsEntry.objects.filter(kind="EXPIRE").count() == 1


def test_a_lot_whose_end_is_now_is_expired_and_one_that_ends_later_is_not():
    end = timezone.now() + timedelta(days=1)
    member = make_member()
    give(member, 10, expires_at=end)
    assert expiry.expire_due(at=end - timedelta(microseconds=1)).lots == 0
    assert expiry.expire_due(at=end).lots == 1


def test_only_what_is_left_of_a_lot_expires():
    member = make_member()
    end = timezone.now() + timedelta(days=1)
    give(member, 100, expires_at=end)
    posting.spend(member_id=member.pk, points=60, key="s", reason="test")
    assert expiry.expire_due(at=end).points == 40


def test_points_put_back_into_an_ended_lot_expire_again():
    member = make_member()
    now = timezone.now()
    give(member, 50, at=now - timedelta(days=20), expires_at=now - timedelta(days=1))
    entry = posting.spend(member_id=member.pk, points=20, key="s", reason="test", at=now - timedelta(days=5))
    assert expiry.expire_due().points == 30
    posting.refund_spend(entry_id=entry.pk, key="back", reason="cancelled")
    assert expiry.expire_due().points == 20
    assert balance_of(member.pk, now).spendable == 0


def test_the_sweep_works_in_ranges(monkeypatch):
    monkeypatch.setattr(expiry, "RANGE", 2)
    for _ in range(5):
        member_with_a_past_lot(10)
    assert expiry.expire_due().points == 50


def test_a_run_that_stopped_resumes_at_its_range(monkeypatch):
    monkeypatch.setattr(expiry, "RANGE", 1)
    members = [member_with_a_past_lot(10) for _ in range(3)]
    second = PointsAccount.objects.get(point_type="SPENDABLE", member=members[1]).pk
    run = JobRun.objects.create(
        job="expire-points", period_start=timezone.now(), cursor=second, state="RUNNING", attempts=1
    )
    expiry.expire_due(turn=schedule.Turn(run))
    assert PointsAccount.objects.get(point_type="SPENDABLE", member=members[0]).balance == 10
    assert PointsAccount.objects.get(point_type="SPENDABLE", member=members[2]).balance == 0


@pytest.mark.django_db(transaction=True)
def test_an_attempt_that_was_taken_over_stops():
    member_with_a_past_lot(10)
    run = JobRun.objects.create(job="expire-points", period_start=timezone.now(), state="RUNNING", attempts=1)
    turn = schedule.Turn(run)
    JobRun.objects.update(attempts=2)
    with pytest.raises(schedule.LeaseLost):
        expiry.expire_due(turn=turn)
    assert PointsAccount.objects.get(point_type="SPENDABLE").balance == 10

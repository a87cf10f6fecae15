"""Expiry: each lot once, at its end, on the books after the fact."""

import random
from collections import Counter
from datetime import timedelta

import pytest
from django.utils import timezone

from members.events.models import Event
from members.jobs import schedule
from members.jobs.models import JobRun
from members.ledger import expiry, posting
from members.ledger.models import LotUse, PointsAccount, PointsEntry, PointsLot
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


def members_with_random_lots(seed, count=12):
    """Members with lots past, at and beyond the end, some partly used, some without an end, some not told yet."""
    chance = random.Random(seed)
    now = timezone.now()
    members = [make_member() for _ in range(count)]
    for turn, member in enumerate(members * 4):
        end = chance.choice([None, now - timedelta(days=2), now, now + timedelta(microseconds=1), now])
        give(member, chance.randint(1, 90), at=now - timedelta(days=9), expires_at=end)
        if chance.random() < 0.3:
            posting.spend(member_id=member.pk, points=1, key=f"{turn}", reason="x", at=now - timedelta(days=5))
    untold = chance.sample(list(PointsLot.objects.values_list("pk", flat=True)), 6)
    PointsLot.objects.filter(pk__in=untold).update(notice_due=True)
    return members, now


def what_the_rule_says(at):
    """The rule in Python, lot by lot: what expires of each account, and the lots it comes from."""
    due = [
        lot
        for lot in PointsLot.objects.all()
        if lot.remaining and lot.expires_at and lot.expires_at <= at and not lot.notice_due
    ]
    points = Counter()
    for lot in due:
        points[lot.account_id] -= lot.remaining
    return dict(points), {(lot.pk, lot.remaining) for lot in due}


def what_was_written():
    entries = PointsEntry.objects.filter(kind="EXPIRE")
    uses = set(LotUse.objects.filter(entry__in=entries).values_list("lot_id", "points"))
    points = Counter()
    for account_id, amount in entries.values_list("account_id", "points"):
        points[account_id] += amount
    return dict(points), uses


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("span", [1, 3, 2000])
def test_the_sweep_of_many_does_what_the_rule_says_of_each_lot(seed, span, monkeypatch):
    monkeypatch.setattr(expiry, "RANGE", span)
    _members, at = members_with_random_lots(seed)
    points, lots = what_the_rule_says(at)

    swept = expiry.expire_due(at=at)

    assert what_was_written() == (points, lots)
    assert (swept.accounts, swept.lots, swept.points) == (len(points), len(lots), -sum(points.values()))
    assert Counter(Event.objects.filter(kind="points.expired").values_list("member_id", flat=True)) == Counter(
        PointsEntry.objects.filter(kind="EXPIRE").values_list("member_id", flat=True)
    )


@pytest.mark.parametrize("seed", range(3))
def test_sweeping_member_by_member_does_the_same(seed):
    members, at = members_with_random_lots(seed)
    points, lots = what_the_rule_says(at)

    for member in members:
        expiry.expire_due(at=at, member_ids=[member.pk])

    assert what_was_written() == (points, lots)


def test_an_entry_tells_how_many_lots_ended_and_the_first_end():
    member = make_member()
    now = timezone.now()
    for days in (3, 1):
        end = (now - timedelta(days=days)).replace(microsecond=0)
        give(member, 10, at=now - timedelta(days=9), expires_at=end)
    expiry.expire_due()
    breakdown = PointsEntry.objects.get(kind="EXPIRE").breakdown
    assert breakdown == {"lots": 2, "first_end": (now - timedelta(days=3)).replace(microsecond=0).isoformat()}


@pytest.mark.parametrize(
    ("span", "seconds", "expected"),
    [(2000, 0.05, 4000), (2000, 0.2, 2000), (2000, 0.5, 1000), (20_000, 0.01, 20_000), (1, 0.5, 1)],
)
def test_a_range_adapts_to_the_time_it_took(span, seconds, expected):
    assert expiry.next_span(span, seconds) == expected

"""Scheduled jobs: once per period, caught up, resumed."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone

from members.jobs import schedule
from members.jobs.models import JobRun

pytestmark = pytest.mark.django_db

LONDON = ZoneInfo("Europe/London")


@pytest.fixture
def turns(monkeypatch):
    """The turns that the hourly job ``tidy`` got."""
    monkeypatch.setattr(schedule, "_jobs", {})
    seen = []

    @schedule.scheduled("tidy", every=timedelta(hours=1))
    def tidy(turn):
        seen.append(turn.period_start)
        return {"tidied": 3}

    return seen


def at(hour, minute=0, day=15):
    return datetime(2026, 6, day, hour, minute, tzinfo=UTC)


def test_a_period_runs_once_however_often_it_is_knocked(turns):
    for minute in (0, 1, 59):
        schedule.plan_due(at=at(9, minute), zone=LONDON)
        schedule.run_due()
    assert turns == [at(9)]
    assert JobRun.objects.get().result == {"tidied": 3}


def test_the_next_period_runs_again(turns):
    for hour in (9, 10):
        schedule.plan_due(at=at(hour), zone=LONDON)
        schedule.run_due()
    assert turns == [at(9), at(10)]


def test_after_days_of_silence_the_latest_period_is_caught_up(turns):
    schedule.plan_due(at=at(9), zone=LONDON)
    schedule.run_due()
    schedule.plan_due(at=at(7, 30, day=20), zone=LONDON)
    schedule.run_due()
    assert turns == [at(9), at(7, day=20)]


def daily(hour):
    return schedule.ScheduledJob(name="d", run=lambda turn: None, every=None, daily_at=time(hour))


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        (datetime(2026, 6, 15, 1, 59, tzinfo=UTC), datetime(2026, 6, 14, 2, tzinfo=UTC)),
        (datetime(2026, 6, 15, 2, 0, tzinfo=UTC), datetime(2026, 6, 15, 2, tzinfo=UTC)),
        (datetime(2026, 12, 15, 3, 0, tzinfo=UTC), datetime(2026, 12, 15, 3, tzinfo=UTC)),
    ],
)
def test_a_daily_job_starts_at_its_local_hour_in_summer_and_winter(now, expected):
    assert daily(3).period_start(now, LONDON) == expected


def test_an_hour_that_a_clock_change_skips_still_has_one_start():
    # London, 29 March 2026: 01:00 becomes 02:00.
    start = daily(1).period_start(datetime(2026, 3, 29, 12, tzinfo=UTC), LONDON)
    assert start == datetime(2026, 3, 29, 1, tzinfo=UTC)


def test_an_hour_that_happens_twice_has_one_start():
    # London, 25 October 2026: 02:00 becomes 01:00.
    starts = {daily(1).period_start(datetime(2026, 10, 25, hour, 30, tzinfo=UTC), LONDON) for hour in (0, 1, 2)}
    assert starts == {datetime(2026, 10, 25, 0, tzinfo=UTC)}


def test_a_run_that_fails_is_tried_again_and_then_given_up(monkeypatch):
    monkeypatch.setattr(schedule, "_jobs", {})

    @schedule.scheduled("broken", every=timedelta(hours=1))
    def broken(turn):
        raise ValueError("no")

    schedule.plan_due(at=at(9), zone=LONDON)
    for _ in range(schedule.MAX_ATTEMPTS):
        JobRun.objects.update(lease_until=None)
        schedule.run_due()
    run = JobRun.objects.get()
    assert (run.state, run.attempts) == ("FAILED", schedule.MAX_ATTEMPTS)


def test_the_run_of_a_killed_worker_carries_on_from_its_checkpoint(monkeypatch):
    monkeypatch.setattr(schedule, "_jobs", {})
    cursors = []
    schedule.scheduled("long", every=timedelta(hours=1))(lambda turn: cursors.append(turn.cursor))
    schedule.plan_due(at=at(9), zone=LONDON)
    JobRun.objects.update(state="RUNNING", attempts=1, cursor=500, lease_until=timezone.now() + timedelta(minutes=5))
    assert schedule.run_due() == 0
    JobRun.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    schedule.run_due()
    assert cursors == [500]


def test_staff_can_ask_for_an_extra_run(turns):
    schedule.request_run(job="tidy", actor_id=None)
    schedule.run_due()
    assert len(turns) == 1


def test_an_unknown_job_cannot_be_asked_for(turns):
    with pytest.raises(KeyError):
        schedule.request_run(job="nonsense", actor_id=None)


def test_a_job_can_be_run_now_with_its_progress(monkeypatch):
    monkeypatch.setattr(schedule, "_jobs", {})
    shown = []

    @schedule.scheduled("count", every=timedelta(hours=1))
    def count(turn):
        turn.checkpoint(10, done=1, total=2)
        turn.checkpoint(20, done=2, total=2)
        return {"counted": 2}

    run = schedule.run_now(job="count", on_progress=lambda done, total: shown.append((done, total)))
    assert shown == [(1, 2), (2, 2)]
    assert (run.state, run.result) == ("DONE", {"counted": 2})


def test_a_job_that_fails_when_run_now_is_left_to_the_worker(monkeypatch):
    monkeypatch.setattr(schedule, "_jobs", {})

    @schedule.scheduled("broken", every=timedelta(hours=1))
    def broken(turn):
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        schedule.run_now(job="broken")
    run = JobRun.objects.get()
    assert (run.state, run.attempts) == ("RUNNING", 1)
    assert run.lease_until > timezone.now()

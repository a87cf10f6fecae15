"""The order of the night: what comes later waits for what comes before it."""

from argparse import ArgumentTypeError
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from members.jobs import schedule
from members.jobs.models import JobRun
from members.management.instants import instant_of
from tests.factories import set_programme
from tests.harness.races import run_together

pytestmark = pytest.mark.django_db

LONDON = ZoneInfo("Europe/London")
NIGHT = datetime(2026, 6, 15, 2, 0, tzinfo=UTC)


@pytest.fixture
def ran(monkeypatch):
    """The names of the jobs as they ran: sweep (hourly), then review, then gifts (hourly); tidy is no part of it."""
    monkeypatch.setattr(schedule, "_jobs", {})
    names = []

    def job(name, **when):
        schedule.scheduled(name, **when)(lambda turn: names.append(name))

    # Registered backwards: the order does not come from that.
    job("gifts", every=timedelta(hours=1), after="review")
    job("review", daily_at=time(3), after="sweep")
    job("sweep", every=timedelta(hours=1))
    job("tidy", daily_at=time(3))
    return names


def test_the_jobs_of_a_night_run_in_their_order(ran):
    schedule.plan_due(at=NIGHT, zone=LONDON)
    schedule.run_due()
    assert [name for name in ran if name != "tidy"] == ["sweep", "review", "gifts"]


def test_the_order_is_known_and_leaves_out_what_has_none(ran):
    assert schedule.night_order() == ["sweep", "review", "gifts"]


def test_a_job_waits_while_the_one_before_it_is_running_or_to_be_tried_again(ran):
    schedule.plan_due(at=NIGHT, zone=LONDON)
    JobRun.objects.filter(job="sweep").update(
        state="RUNNING", attempts=1, lease_until=timezone.now() + timedelta(minutes=5)
    )
    schedule.run_due()
    assert ran == ["tidy"]
    JobRun.objects.filter(job="sweep").update(lease_until=None)
    schedule.run_due()
    assert ran == ["tidy", "sweep", "review", "gifts"]


@pytest.mark.parametrize("state", ["DONE", "FAILED"])
def test_a_job_that_is_done_or_given_up_holds_nobody_back(ran, state):
    schedule.plan_due(at=NIGHT, zone=LONDON)
    JobRun.objects.filter(job="sweep").update(state=state)
    schedule.run_due()
    assert [name for name in ran if name != "tidy"] == ["review", "gifts"]


def test_a_later_run_of_the_job_before_holds_nobody_back(ran):
    schedule.plan_due(at=NIGHT, zone=LONDON)
    JobRun.objects.filter(job="sweep").update(period_start=NIGHT + timedelta(hours=1), lease_until=timezone.now())
    JobRun.objects.filter(job="sweep").update(lease_until=timezone.now() + timedelta(minutes=5))
    schedule.run_due()
    assert "review" in ran
    assert "sweep" not in ran


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_many_workers_keep_the_order_and_run_each_job_once(ran):
    schedule.plan_due(at=NIGHT, zone=LONDON)
    for _round in range(3):
        run_together([schedule.run_due] * 4)
    assert [name for name in ran if name != "tidy"] == ["sweep", "review", "gifts"]


def test_a_night_can_be_run_as_of_another_day(monkeypatch, capsys):
    monkeypatch.setattr(schedule, "_jobs", {})
    told = []
    schedule.scheduled("first", daily_at=time(3))(lambda turn: told.append(turn.now()))
    schedule.scheduled("second", daily_at=time(3), after="first")(lambda turn: {"at": turn.now().isoformat()})
    set_programme(zone="Asia/Taipei")

    call_command("run_night", "--as-of", "2027-01-31")

    assert told == [datetime(2027, 1, 30, 19, 0, tzinfo=UTC)]
    assert capsys.readouterr().out == 'first: {}\nsecond: {"at": "2027-01-30T19:00:00+00:00"}\n'
    assert set(JobRun.objects.values_list("state", "as_of")) == {("DONE", told[0])}


def test_a_job_of_the_night_that_fails_stops_nothing_and_is_told(monkeypatch, capsys):
    monkeypatch.setattr(schedule, "_jobs", {})

    @schedule.scheduled("first", daily_at=time(3))
    def fail(turn):
        raise ValueError("broken")

    schedule.scheduled("second", daily_at=time(3), after="first")(lambda turn: {"done": 1})
    with pytest.raises(CommandError, match="failed: first"):
        call_command("run_night")
    assert 'second: {"done": 1}' in capsys.readouterr().out


def test_a_run_for_another_instant_keeps_it_when_another_worker_carries_on(monkeypatch):
    monkeypatch.setattr(schedule, "_jobs", {})
    told = []
    schedule.scheduled("job", daily_at=time(3))(lambda turn: told.append(turn.at))
    schedule.request_run(job="job", actor_id=None, at=NIGHT)
    schedule.run_due()
    assert told == [NIGHT]


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("2026-07-01", datetime(2026, 7, 1, 2, 0, tzinfo=UTC)),
        ("2026-07-01T12:30", datetime(2026, 7, 1, 11, 30, tzinfo=UTC)),
        ("2026-07-01T12:30:00+08:00", datetime(2026, 7, 1, 4, 30, tzinfo=UTC)),
    ],
)
def test_a_day_on_the_command_line_is_its_night_in_the_programmes_zone(text, instant):
    set_programme(zone="Europe/London")
    assert instant_of(text) == instant


def test_nonsense_on_the_command_line_is_refused():
    with pytest.raises(ArgumentTypeError, match="no ISO day"):
        instant_of("tomorrow")

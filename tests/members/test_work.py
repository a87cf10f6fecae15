"""One round of due work, by task, by command and by hand."""

import json

import pytest
from django.core.management import call_command
from django.utils import timezone

from members.jobs.models import Heartbeat, JobRun
from members.tasks import tick
from members.tiers.standing import current_standing
from members.work import do_due_work
from tests.factories import buy, make_member, make_rule, make_tiers

pytestmark = pytest.mark.django_db


def test_the_worker_shows_that_it_lives_and_beat_only_when_it_asked():
    do_due_work()
    assert set(Heartbeat.objects.values_list("name", flat=True)) == {"worker"}
    tick(sender="beat")
    assert set(Heartbeat.objects.values_list("name", flat=True)) == {"worker", "scheduler"}


def test_every_registered_job_runs_on_an_empty_installation():
    do_due_work()
    assert JobRun.objects.exists()
    assert set(JobRun.objects.values_list("state", flat=True)) == {"DONE"}


def test_drain_does_all_due_work_without_a_worker(capsys):
    make_rule()
    make_tiers()
    member = make_member()
    buy(member, amount=60_000, purchased_at=timezone.now())
    call_command("drain")
    assert current_standing(member.pk).tier.name == "Silver"
    assert "done" in capsys.readouterr().out


def test_a_job_can_be_run_from_the_command_line(capsys):
    make_tiers()
    make_member()
    call_command("run_job", "recalculate-tiers")
    assert json.loads(capsys.readouterr().out)["start"] == 1

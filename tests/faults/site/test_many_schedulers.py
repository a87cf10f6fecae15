"""P13: a job takes effect once per period, with two schedulers and two workers, and after days with none."""

from datetime import timedelta

import pytest
from django.utils import timezone

from campaigns.birthday.models import BirthdayGift
from members.accounts.models import Person
from members.jobs.models import JobRun
from members.ledger.models import PointsEntry
from tests.factories import give, make_member
from tests.harness.site import LiveSite
from tests.journeys.shop import broker

pytestmark = [pytest.mark.redis, pytest.mark.django_db(transaction=True)]

MEMBERS = 40


@pytest.fixture
def second_machine(shop, tmp_path):
    """Run a second scheduler and a second worker over the same database and Redis."""
    environment = {**shop.site.environment, "DATA_DIR": str(tmp_path)}
    machine = LiveSite(shop.url, shop.site.mail, environment, tmp_path)
    for name in ("worker", "scheduler"):
        machine.start(name)
    try:
        machine.wait_for(lambda: waiting_workers() >= 2 and any(tmp_path.glob("beat-schedule*")), seconds=30)
        yield machine
    finally:
        machine.stop()


def waiting_workers() -> int:
    """Return how many workers wait for a knock at the broker of this site."""
    with broker() as redis:
        number = str(redis.get_connection_kwargs().get("db", 0))
        return sum(client["cmd"] == "brpop" and client["db"] == number for client in redis.client_list())


def test_two_schedulers_and_two_workers_run_a_job_once_per_period(shop, second_machine):
    today = timezone.now().date()
    members = [make_member() for _number in range(MEMBERS)]
    Person.objects.filter(member__in=members).update(
        birth_month=today.month, birth_day=today.day, birthday_set_at=timezone.now() - timedelta(days=300)
    )
    JobRun.objects.filter(job="birthdays").delete()
    shop.wait(lambda: JobRun.objects.filter(job="birthdays", state=JobRun.State.DONE).exists())
    shop.wait(lambda: PointsEntry.objects.filter(member__in=members).count() >= MEMBERS)
    assert {run.attempts for run in JobRun.objects.filter(job="birthdays")} == {1}
    assert BirthdayGift.objects.filter(member__in=members).count() == MEMBERS
    assert PointsEntry.objects.filter(member__in=members).count() == MEMBERS
    of_all = JobRun.objects.values_list("job", "period_start")
    assert len(of_all) == len(set(of_all))


def test_a_job_that_nobody_started_for_days_is_caught_up_once(shop):
    for name in ("scheduler", "worker"):
        shop.site.kill(name)
    for run in JobRun.objects.filter(job="expire-points"):
        JobRun.objects.filter(pk=run.pk).update(period_start=run.period_start - timedelta(days=3))
    before = JobRun.objects.filter(job="expire-points").count()
    member = make_member()
    give(member, 60, expires_at=timezone.now() - timedelta(days=1), at=timezone.now() - timedelta(days=30))
    for name in ("scheduler", "worker"):
        shop.site.start(name)
    ended = PointsEntry.objects.filter(member=member, kind=PointsEntry.Kind.EXPIRE)
    shop.wait(ended.exists, seconds=25)
    shop.wait(lambda: not JobRun.objects.filter(job="expire-points").exclude(state=JobRun.State.DONE).exists())
    assert [entry.points for entry in ended] == [-60]
    assert JobRun.objects.filter(job="expire-points").count() == before + 1

"""The hourly birthday job."""

from datetime import datetime, timedelta

from campaigns.birthday.gifts import give_due_gifts
from campaigns.birthday.planning import plan_birthdays
from campaigns.messaging.models import Campaign
from campaigns.messaging.standard import make_standard_campaigns
from members.jobs.models import JobRun
from members.jobs.schedule import Turn, scheduled

_JOB = "birthdays"


@scheduled(_JOB, every=timedelta(hours=1), after="recalculate-tiers")
def run_birthdays(turn: Turn) -> dict[str, object]:
    """Plan the birthdays of the next days, then give the gifts whose day has come."""
    make_standard_campaigns()
    last_run = _last_run_before(turn.period_start)
    result: dict[str, object] = {}
    for campaign in Campaign.objects.running(Campaign.Kind.BIRTHDAY):
        planned = plan_birthdays(
            campaign=campaign, at=turn.now(), last_run=last_run, progress=lambda done: _stay(turn, done)
        )
        result[campaign.code] = planned.as_result()
    result["gifts"] = give_due_gifts(at=turn.at, progress=lambda done: _stay(turn, done))
    return result


def _stay(turn: Turn, done: int) -> None:
    turn.checkpoint(0, done=done, total=0)


def _last_run_before(period_start: datetime) -> datetime | None:
    runs = JobRun.objects.filter(job=_JOB, state=JobRun.State.DONE, period_start__lt=period_start)
    return runs.order_by("-period_start").values_list("period_start", flat=True).first()

"""The job that gives the issues of coupons, in ranges of their recipients."""

from datetime import timedelta
from typing import Any

from members.jobs.schedule import Turn, scheduled
from rewards.coupons.issuing import JOB, give_range
from rewards.coupons.models import CouponIssue

RANGE = 100


@scheduled(JOB, every=timedelta(minutes=5))
def give_issues(turn: Turn) -> dict[str, Any]:
    """Give what runs, the oldest issue first. A killed run carries on: who has the coupon has it, the others wait."""
    settled = 0
    running = CouponIssue.objects.filter(state=CouponIssue.State.RUNNING).order_by("pk")
    for issue_id in list(running.values_list("pk", flat=True)):
        while done := give_range(issue_id=issue_id, limit=RANGE, at=turn.at):
            settled += done
            turn.checkpoint(issue_id, done=settled, total=settled)
    return {"settled": settled}

"""The hourly job that approves referrals whose return window has passed."""

from datetime import datetime, timedelta

from campaigns.referral.models import Referral
from campaigns.referral.rewarding import approve
from members.jobs.schedule import Turn, scheduled


@scheduled("referrals", every=timedelta(hours=1))
def run_referrals(turn: Turn) -> dict[str, int]:
    """Decide every referral that is due."""
    return {"decided": approve_due(at=turn.now())}


def approve_due(*, at: datetime) -> int:
    """Approve, hold or cancel every referral that is due at ``at``; return how many were decided."""
    due = list(Referral.objects.due(at).values_list("pk", flat=True))
    for referral_id in due:
        approve(referral_id=referral_id, at=at)
    return len(due)

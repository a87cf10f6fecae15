"""The daily job of reminders."""

from datetime import time

from campaigns.messaging.models import Campaign
from campaigns.messaging.standard import make_standard_campaigns
from campaigns.reminders.planning import plan_reminders
from members.jobs.schedule import Turn, scheduled


@scheduled("points-reminders", daily_at=time(3, 0), after="birthdays")
def run_reminders(turn: Turn) -> dict[str, int]:
    """Plan the reminders of the coming two days."""
    make_standard_campaigns()
    return {
        campaign.code: plan_reminders(
            campaign=campaign, at=turn.now(), progress=lambda done: turn.checkpoint(0, done=done, total=0)
        )
        for campaign in Campaign.objects.running(Campaign.Kind.EXPIRY_REMINDER)
    }

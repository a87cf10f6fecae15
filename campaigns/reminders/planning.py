"""Planning reminders of expiring points: once per member, end and step.

A late run sends the step that is now due, no more.
"""

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta

from django.conf import settings
from django.urls import reverse

from campaigns.messaging.kinds import Context, NothingToSay, message
from campaigns.messaging.models import Campaign, Delivery
from campaigns.messaging.planning import Draft, plan_deliveries
from campaigns.messaging.zones import zone_of
from campaigns.reminders.steps import steps_of, steps_to_plan
from members.accounts.models import Consent, Member
from members.ledger.expiring import Ending, endings_between
from members.ledger.statements import balance_of
from members.lib import periods
from members.programme.models import Programme

# The job runs daily; a day more lets every zone get its reminder at its own hour.
AHEAD = timedelta(hours=48)


def plan_reminders(*, campaign: Campaign, at: datetime, progress: Callable[[int], None] | None = None) -> int:
    """Plan the reminders that are due up to 48 hours ahead; return how many ends were looked at."""
    seen = 0
    furthest = at + AHEAD + timedelta(days=max(campaign.days_before, default=0) + 1)
    for endings in endings_between(after=at, until=furthest):
        plan_deliveries(campaign_id=campaign.pk, drafts=_drafts(campaign, endings, at))
        seen += len(endings)
        if progress:
            progress(seen)
    return seen


def _drafts(campaign: Campaign, endings: Iterable[Ending], at: datetime) -> Iterator[Draft]:
    endings = list(endings)
    members = Member.objects.active().in_bulk({ending.member_id for ending in endings})
    for ending in endings:
        member = members.get(ending.member_id)
        if member is not None:
            yield from _drafts_of(campaign, member, ending, at)


def _drafts_of(campaign: Campaign, member: Member, ending: Ending, at: datetime) -> Iterator[Draft]:
    steps = steps_of(
        expires_at=ending.expires_at,
        days_before=campaign.days_before,
        hour=campaign.send_hour,
        zone=zone_of(member),
    )
    for step in steps_to_plan(steps, at=at, until=at + AHEAD):
        yield Draft(
            member_id=member.pk,
            occurrence=ending.expires_at.isoformat(),
            step=step.days,
            message="points_expiring",
            due_at=step.due_at,
            expires_at=step.expires_at,
            context={"expires_at": ending.expires_at.isoformat()},
        )


@message("points_expiring", purpose=Consent.Purpose.SERVICE)
def about_expiring_points(delivery: Delivery, at: datetime) -> Context:
    """Return how many points are still there and the last day to use them.

    Nothing is said when they are used.
    """
    expires_at = datetime.fromisoformat(str(delivery.context["expires_at"]))
    ends = {ending.expires_at: ending.points for ending in balance_of(delivery.member_id, at).expiring}
    if expires_at not in ends:
        raise NothingToSay("points_used")
    return {
        "points": ends[expires_at],
        "last_day": periods.last_usable_day(expires_at, Programme.current().tz),
        "rewards_url": settings.SITE_URL + reverse("rewards:catalogue"),
    }

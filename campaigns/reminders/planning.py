"""Planning reminders of expiring points: once per member, end and step.

A late run sends the step that is now due, no more.
"""

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta
from itertools import chain

from django.conf import settings
from django.urls import reverse

from campaigns.messaging.kinds import Context, NothingToSay, message
from campaigns.messaging.models import Campaign, Delivery
from campaigns.messaging.planning import Draft, plan_deliveries
from campaigns.messaging.zones import zone_of
from campaigns.reminders.steps import steps_of, steps_to_plan
from members.accounts.models import Consent, Member
from members.events.log import write_event
from members.events.models import Event
from members.events.readers import reader
from members.ledger.expiring import Ending, ending_of, endings_between, untold_endings
from members.ledger.notices import record_notice
from members.lib import periods
from members.programme.models import Programme

# The job runs daily; a day more lets every zone get its reminder at its own hour.
AHEAD = timedelta(hours=48)
LATE_NOTICE_GOOD_FOR = timedelta(days=7)


def plan_reminders(*, campaign: Campaign, at: datetime, progress: Callable[[int], None] | None = None) -> int:
    """Plan the reminders that are due up to 48 hours ahead; return how many ends were looked at.

    Points that live on because nobody told their member get a late notice, once a month until one is sent.
    """
    seen = 0
    furthest = at + AHEAD + timedelta(days=max(campaign.days_before, default=0) + 1)
    before = ((endings, _steps) for endings in endings_between(after=at, until=furthest))
    late = ((endings, _late_notice) for endings in untold_endings(at=at))
    for endings, drafts_of in chain(before, late):
        plan_deliveries(campaign_id=campaign.pk, drafts=_drafts(campaign, endings, at, drafts_of))
        seen += len(endings)
        if progress:
            progress(seen)
    return seen


DraftsOf = Callable[[Campaign, Member, Ending, datetime], Iterator[Draft]]


def _drafts(campaign: Campaign, endings: Iterable[Ending], at: datetime, drafts_of: DraftsOf) -> Iterator[Draft]:
    endings = list(endings)
    members = Member.objects.active().in_bulk({ending.member_id for ending in endings})
    for ending in endings:
        member = members.get(ending.member_id)
        if member is not None:
            yield from drafts_of(campaign, member, ending, at)


def _late_notice(campaign: Campaign, member: Member, ending: Ending, at: datetime) -> Iterator[Draft]:
    zone = zone_of(member)
    today = periods.local_day(at, zone)
    hour = periods.local_instant(today, campaign.send_hour, 0, zone)
    due_at = hour if hour >= at else periods.local_instant(today + timedelta(days=1), campaign.send_hour, 0, zone)
    yield Draft(
        member_id=member.pk,
        occurrence=f"{ending.expires_at.isoformat()}|late|{today:%Y-%m}",
        message="points_expiring",
        due_at=due_at,
        expires_at=due_at + LATE_NOTICE_GOOD_FOR,
        context={"expires_at": ending.expires_at.isoformat()},
    )


def _steps(campaign: Campaign, member: Member, ending: Ending, at: datetime) -> Iterator[Draft]:
    steps = steps_of(
        expires_at=ending.expires_at,
        days_before=campaign.days_before,
        hour=campaign.send_hour,
        zone=zone_of(member),
    )
    for step in steps_to_plan(steps, at=at, until=at + AHEAD, told_at=ending.told_at):
        yield Draft(
            member_id=member.pk,
            occurrence=ending.expires_at.isoformat(),
            step=step.days,
            message="points_expiring",
            due_at=step.due_at,
            expires_at=step.expires_at,
            context={"expires_at": ending.expires_at.isoformat()},
        )


@reader("expiry-notices", kinds={"expiry.told"})
def note_that_the_member_was_told(event: Event) -> None:
    """Let the points of a reminder that was sent end, at the date that it named."""
    delivery = Delivery.objects.get(pk=event.data["delivery"])
    expires_at = datetime.fromisoformat(str(delivery.context["expires_at"]))
    record_notice(member_id=delivery.member_id, expires_at=expires_at, sent_at=event.occurred_at)


def _tell(delivery: Delivery) -> None:
    # The points are changed by a reader: whoever holds a delivery takes no account.
    handed_at = delivery.tries.get(number=delivery.attempts).handed_at
    write_event(kind="expiry.told", member_id=delivery.member_id, data={"delivery": delivery.pk}, occurred_at=handed_at)


@message("points_expiring", purpose=Consent.Purpose.SERVICE, on_sent=_tell)
def about_expiring_points(delivery: Delivery, at: datetime) -> Context:
    """Return how many points are still there and the last day to use them.

    Nothing is said when they are used.
    """
    expires_at = datetime.fromisoformat(str(delivery.context["expires_at"]))
    ending = ending_of(delivery.member_id, expires_at, at=at)
    if ending is None:
        raise NothingToSay("points_used")
    return {
        "points": ending.points,
        "last_day": periods.last_usable_day(ending.expires_at, Programme.current().tz),
        "rewards_url": settings.SITE_URL + reverse("rewards:catalogue"),
    }

"""Makers of campaigns' test data, and ways to let the system do its due work."""

from datetime import UTC, datetime, timedelta

from campaigns.messaging.kinds import message
from campaigns.messaging.models import Campaign, Delivery
from campaigns.messaging.planning import Draft, plan_deliveries
from campaigns.messaging.standard import standard_campaign
from members.accounts.consent import record_consent
from members.accounts.models import Member, Person
from members.events import readers
from members.jobs import outbox
from tests.factories import make_member

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
PAST = datetime(2026, 6, 1, 8, 0, tzinfo=UTC)

_serial = iter(range(1, 1_000_000))


@message("test_offer", purpose="marketing")
def _offer(delivery: Delivery, at: datetime) -> dict[str, object]:
    return {"points": 5}


@message("test_receipt", purpose="service", transactional=True)
def _receipt(delivery: Delivery, at: datetime) -> dict[str, object]:
    return {"points": 5}


def make_reachable(*, marketing: bool = False, **fields: object) -> Member:
    """Return a member with an e-mail address, and consent to offers if wanted."""
    fields.setdefault("email", f"reader{next(_serial)}@example.com")
    member = make_member(**fields)
    if marketing:
        allow(member)
    return member


def allow(member: Member, *, channel: str = "email", purpose: str = "marketing", granted: bool = True) -> None:
    """Record a statement of will."""
    record_consent(member_id=member.pk, channel=channel, purpose=purpose, granted=granted, source="test")


def change_campaign(code: str, **fields: object) -> Campaign:
    """Return a standard campaign with other settings."""
    campaign = standard_campaign(code)
    for name, value in fields.items():
        setattr(campaign, name, value)
    campaign.save()
    return campaign


def make_delivery(member: Member, *, message: str = "test_receipt", **fields: object) -> Delivery:
    """Return a planned delivery, due long ago."""
    campaign = standard_campaign("redemptions")
    occurrence = str(fields.pop("occurrence", f"occurrence:{next(_serial)}"))
    draft = Draft(**{"member_id": member.pk, "occurrence": occurrence, "message": message, "due_at": PAST} | fields)
    plan_deliveries(campaign_id=campaign.pk, drafts=[draft])
    return Delivery.objects.get(campaign=campaign, occurrence=occurrence, member=member, step=draft.step)


def born(member: Member, month: int, day: int, *, year: int | None = None, entered: datetime | None = LONG_AGO) -> None:
    """Give the member a birthday."""
    Person.objects.filter(member=member).update(
        birth_month=month, birth_day=day, birth_year=year, birthday_set_at=entered
    )


def work() -> None:
    """Let readers and outbox do what is due, until nothing is left."""
    while readers.read_all() + outbox.drain():
        pass


def days(count: float) -> timedelta:
    """Return so many days."""
    return timedelta(days=count)

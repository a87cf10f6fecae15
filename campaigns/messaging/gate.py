"""The last question before a hand-over: may this message go to this member now, and over which channel?"""

from datetime import date, datetime

from campaigns.messaging.kinds import MessageKind
from campaigns.messaging.models import Delivery
from members.accounts.consent import may_contact
from members.accounts.models import Consent, Member, Person
from members.lib import periods
from members.programme.models import Programme

Channel = Consent.Channel


class Closed(Exception):
    """The message must not go; the reason is written on the delivery."""

    def __init__(self, reason: str, state: Delivery.State = Delivery.State.SKIPPED) -> None:
        super().__init__(reason)
        self.reason = reason
        self.state = state


def choose_channel(delivery: Delivery, kind: MessageKind, *, at: datetime) -> tuple[Person, str]:
    """Return whom to address and how: e-mail where there is an address and no refusal, else SMS.

    The caller holds the member's consent lock, so that a refusal acknowledged before this call is seen.
    Raises Closed.
    """
    if delivery.expires_at is not None and delivery.expires_at <= at:
        raise Closed("too_late", Delivery.State.EXPIRED)
    if not delivery.campaign.is_active:
        raise Closed("campaign_off")
    person = Person.objects.select_related("member").filter(member_id=delivery.member_id).first()
    if person is None or person.member.status != Member.Status.ACTIVE:
        raise Closed("member_gone")
    if kind.purpose == Consent.Purpose.MARKETING and is_too_young(person, at):
        raise Closed("minor")
    return person, _open_channel(person, kind.purpose)


def is_too_young(person: Person, at: datetime) -> bool:
    """Tell whether the birthday shows that the person is below the programme's age for marketing."""
    if not (person.birth_year and person.birth_month and person.birth_day):
        return False
    programme = Programme.current()
    today = periods.local_day(at, programme.tz)
    return _age(today, person.birth_year, person.birth_month, person.birth_day) < programme.minimum_marketing_age


def _age(today: date, year: int, month: int, day: int) -> int:
    return today.year - year - ((today.month, today.day) < (month, day))


def _open_channel(person: Person, purpose: str) -> str:
    channels = [channel for channel, address in ((Channel.EMAIL, person.email), (Channel.SMS, person.phone)) if address]
    if not channels:
        raise Closed("no_address")
    for channel in channels:
        if may_contact(member_id=person.member_id, channel=channel, purpose=purpose):
            return channel
    raise Closed("no_consent")

"""Who is asked after an occasion, and who is left in peace."""

from datetime import datetime, timedelta

from campaigns.messaging.models import Delivery
from feedback.invitations.models import Invitation, SuppressedAsk
from feedback.invitations.sending import plan_message
from feedback.surveys.models import Survey
from members.accounts.consent import lock_consent, may_contact
from members.accounts.models import Consent, Member, Person
from members.lib.transactions import retried

Reason = SuppressedAsk.Reason


@retried
def ask(*, survey: Survey, member_id: int, occasion: str, at: datetime) -> Invitation | SuppressedAsk:
    """Invite the member to the survey, or log why not; once per survey, member and occasion.

    ``at`` is when the occasion was; the invitation is due the survey's delay later. A second call for the
    same occasion returns the first decision.
    """
    # Two occasions of one member wait for each other here: the second sees the first one's invitation.
    lock_consent(member_id)
    member = Member.objects.get(pk=member_id)
    decided = _earlier_decision(survey, member, occasion)
    if decided is not None:
        return decided
    due_at = at + timedelta(hours=survey.delay_hours)
    reason = _reason_to_refrain(survey, member, due_at)
    if reason is not None:
        return SuppressedAsk.objects.create(survey=survey, member=member, occasion=occasion, reason=reason, at=at)
    invitation = Invitation.objects.create(
        survey=survey,
        wave=survey.wave,
        member=member,
        occasion=occasion,
        created_at=at,
        due_at=due_at,
        expires_at=due_at + timedelta(days=survey.link_days),
    )
    plan_message(invitation)
    return invitation


def withdraw(*, member_id: int, occasion: str) -> None:
    """Take back the invitations of an occasion whose message was not sent yet; it finds nothing to say."""
    waiting = [Delivery.State.PLANNED, Delivery.State.REFUSED]
    of_occasion = Invitation.objects.of_member(member_id).filter(occasion=occasion, answered_at=None)
    of_occasion.filter(delivery__state__in=waiting).update(state=Invitation.State.WITHDRAWN)


def _earlier_decision(survey: Survey, member: Member, occasion: str) -> Invitation | SuppressedAsk | None:
    same = {"survey": survey, "member": member, "occasion": occasion}
    return Invitation.objects.filter(**same).first() or SuppressedAsk.objects.filter(**same).first()


def _reason_to_refrain(survey: Survey, member: Member, due_at: datetime) -> Reason | None:
    if member.status != Member.Status.ACTIVE:
        return Reason.CLOSED
    if not any(may_contact(member_id=member.pk, channel=channel, purpose="survey") for channel in Consent.Channel):
        return Reason.REFUSED
    if not _can_be_reached(member):
        return Reason.UNREACHABLE
    return _resting(survey, member, due_at)


def _can_be_reached(member: Member) -> bool:
    if member.user_id is not None:
        return True
    person = Person.objects.filter(member=member).first()
    return person is not None and bool(person.email or person.phone)


def _resting(survey: Survey, member: Member, due_at: datetime) -> Reason | None:
    asked = Invitation.objects.of_member(member.pk)
    if asked.asked_since(due_at - timedelta(days=survey.quiet_days_any)).exists():
        return Reason.RESTING_ANY
    same_kind = asked.filter(survey__kind=survey.kind)
    if same_kind.asked_since(due_at - timedelta(days=survey.quiet_days_kind)).exists():
        return Reason.RESTING_KIND
    return None

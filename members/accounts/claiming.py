"""How a login becomes a member: by claiming the one enrolled before, or by joining anew.

Only a confirmed address or telephone claims, and only a membership that nobody has claimed: an address or
a recycled number that already belongs to somebody's account never opens it.
"""

from dataclasses import dataclass
from datetime import datetime

from allauth.account.models import EmailAddress
from django.db.models import Q
from django.db.models.functions import Lower

from members.accounts.enrolment import enrol_member
from members.accounts.models import Member, Person, User
from members.events import log
from members.events.audit_log import write_audit
from members.lib.transactions import retried


class NothingConfirmed(Exception):
    """The login has neither a confirmed address nor a confirmed telephone number."""


class MembershipClosed(Exception):
    """The login's membership was closed; staff can open it again."""


@dataclass(frozen=True)
class Contacts:
    """What a login has proved to own; empty where nothing is proved."""

    email: str
    phone: str


def confirmed_contacts(user: User) -> Contacts:
    """Return the confirmed primary address and the confirmed number of a login."""
    address = EmailAddress.objects.filter(user=user, verified=True).order_by("-primary", "id").first()
    return Contacts(
        email=address.email.lower() if address else "",
        phone=user.phone if user.phone_verified else "",
    )


@retried
def join_programme(*, user_id: int, at: datetime, language: str = "en") -> Member:
    """Return the member of this login, made on the first call: claimed when exactly one unclaimed membership
    has a confirmed contact of the login, else new. Writes `member.claimed` or `member.joined`.

    On every call the person's contacts follow the confirmed ones. Raises NothingConfirmed, MembershipClosed.
    """
    user = User.objects.select_for_update(no_key=True).get(pk=user_id)
    contacts = confirmed_contacts(user)
    member = Member.objects.filter(user=user).first()
    if member is not None and member.status != Member.Status.ACTIVE:
        raise MembershipClosed
    if member is None:
        if not (contacts.email or contacts.phone):
            raise NothingConfirmed
        member = _claim_or_enrol(user, contacts, at=at, language=language)
    _follow(member, contacts)
    return member


@retried
def forget_email(*, user_id: int, email: str) -> None:
    """Take a removed address off the person; the confirmed primary one takes its place."""
    person = Person.objects.filter(member__user_id=user_id).select_related("member").first()
    if person is None or person.email.lower() != email.lower():
        return
    remaining = confirmed_contacts(User.objects.get(pk=user_id))
    Person.objects.filter(pk=person.pk).update(email=remaining.email)


def _claim_or_enrol(user: User, contacts: Contacts, *, at: datetime, language: str) -> Member:
    matching = _lock_unclaimed(contacts)
    if len(matching) == 1:
        return _claim(matching[0], user, contacts, at=at)
    member = enrol_member(
        source="web", joined_at=at, language=language, email=contacts.email, phone=contacts.phone, user=user
    )
    if matching:
        write_audit(
            actor_id=user.pk,
            action="member.claim_ambiguous",
            target=f"member:{member.number}",
            reason="several unclaimed memberships have a confirmed contact of this login",
            data={"members": [other.pk for other in matching]},
        )
    return member


def _lock_unclaimed(contacts: Contacts) -> list[Member]:
    """Lock the unclaimed memberships with these contacts, then read which of them are unclaimed still."""
    same = Q()
    if contacts.email:
        same |= Q(lower_email=contacts.email)
    if contacts.phone:
        same |= Q(phone=contacts.phone)
    persons = Person.objects.annotate(lower_email=Lower("email")).filter(same)
    open_members = Member.objects.unclaimed().active().filter(pk__in=persons.values("pk"))
    ids = [pk for (pk,) in open_members.select_for_update(no_key=True).order_by("pk").values_list("pk")]
    return list(Member.objects.unclaimed().active().filter(pk__in=ids).select_related("person").order_by("pk"))


def _claim(member: Member, user: User, contacts: Contacts, *, at: datetime) -> Member:
    by_email = bool(contacts.email) and member.person.email.lower() == contacts.email
    member.user = user
    member.save(update_fields=["user"])
    log.write_event(kind="member.claimed", member_id=member.pk, data={"member": member.pk}, occurred_at=at)
    write_audit(
        actor_id=user.pk,
        action="member.claimed",
        target=f"member:{member.number}",
        reason="confirmed e-mail address" if by_email else "confirmed telephone number",
    )
    return member


def _follow(member: Member, contacts: Contacts) -> None:
    proved = {"email": contacts.email, "phone": contacts.phone}
    changed = {name: value for name, value in proved.items() if value}
    if changed:
        Person.objects.filter(member=member).exclude(**changed).update(**changed)

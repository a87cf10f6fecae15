"""What members say about themselves."""

from datetime import date, datetime

from django.db.models import Q

from members.accounts.models import LANGUAGES, BirthdayChange, Member, Person
from members.events import log
from members.events.audit_log import write_audit
from members.lib.transactions import retried
from members.programme.models import validate_zone

_EARLIEST_YEAR = 1900
# Any leap year: a birthday without a year may be 29 February.
_SOME_LEAP_YEAR = 2000


class BirthdayFixed(Exception):
    """The member has set and changed the birthday already; a further change is for staff."""


class NotADay(Exception):
    """No calendar has this day, or it lies ahead."""


class ReasonMissing(Exception):
    """Staff must say why they change a birthday."""


class HasLogin(Exception):
    """Address and number of a member with a login follow that login; nobody else writes them."""


class UnknownLanguage(Exception):
    """The programme does not speak this language."""


@retried
def change_profile(
    *,
    member_id: int,
    at: datetime,
    name: str | None = None,
    language: str | None = None,
    zone: str | None = None,
    home_store_id: int | None = None,
    email: str | None = None,
    phone: str | None = None,
    actor_id: int | None = None,
) -> Member:
    """Change what is given, leave the rest; writes `member.changed`. An empty `zone` is the programme's.

    `email` and `phone` (E.164) are for staff and for members without a login: by them the member can be claimed, so
    `actor_id` is audited. Raises UnknownLanguage, HasLogin, or ValidationError for an unknown time zone.
    """
    member = _lock(member_id)
    contact = {key: value.strip() for key, value in (("email", email), ("phone", phone)) if value is not None}
    if contact:
        _set_contact(member, contact, actor_id)
    if language is not None:
        if language not in dict(LANGUAGES):
            raise UnknownLanguage
        member.language = language
    if zone is not None:
        if zone:
            validate_zone(zone)
        member.zone = zone
    if home_store_id is not None:
        member.home_store_id = home_store_id
    member.save(update_fields=["language", "zone", "home_store"])
    if name is not None:
        Person.objects.filter(member=member).update(name=name.strip())
    log.write_event(kind="member.changed", member_id=member.pk, data={"member": member.pk}, occurred_at=at)
    return member


@retried
def set_birthday(
    *,
    member_id: int,
    month: int,
    day: int,
    at: datetime,
    actor_user_id: int | None,
    year: int | None = None,
    reason: str = "",
) -> Person:
    """Set or change a birthday, keeping the old one, who and when; the same day again changes nothing.

    The member may set it once and change it once; anyone else is staff, may always, and gives a reason.
    Raises NotADay, BirthdayFixed, ReasonMissing.
    """
    _check_day(year, month, day, today=at.date())
    member = _lock(member_id)
    person = Person.objects.get(member=member)
    if (person.birth_month, person.birth_day, person.birth_year) == (month, day, year):
        return person
    by_member = actor_user_id is not None and actor_user_id == member.user_id
    if by_member and not may_change_birthday(person):
        raise BirthdayFixed
    if not by_member and not reason.strip():
        raise ReasonMissing
    BirthdayChange.objects.create(
        person=person,
        old_month=person.birth_month,
        old_day=person.birth_day,
        actor_id=actor_user_id,
        reason=reason,
        at=at,
    )
    person.birth_month, person.birth_day, person.birth_year, person.birthday_set_at = month, day, year, at
    person.save(update_fields=["birth_month", "birth_day", "birth_year", "birthday_set_at"])
    log.write_event(kind="member.birthday_changed", member_id=member.pk, data={"member": member.pk}, occurred_at=at)
    return person


def _set_contact(member: Member, contact: dict[str, str], actor_id: int | None) -> None:
    if member.user_id is not None:
        raise HasLogin
    person = Person.objects.get(member=member)
    changed = [key for key, value in contact.items() if getattr(person, key) != value]
    if not changed:
        return
    Person.objects.filter(member=member).update(**contact)
    target = f"member:{member.number}"
    write_audit(actor_id=actor_id, action="member.contact_set", target=target, reason=", ".join(changed))


def may_change_birthday(person: Person) -> bool:
    """Tell whether the member may still enter another birthday without asking staff."""
    if person.birth_month is None:
        return True
    own = Q(actor_id=person.member.user_id, actor__isnull=False, old_month__isnull=False)
    return not person.birthday_changes.filter(own).exists()


def _lock(member_id: int) -> Member:
    return Member.objects.select_for_update(no_key=True).get(pk=member_id)


def _check_day(year: int | None, month: int, day: int, *, today: date) -> None:
    try:
        born = date(_SOME_LEAP_YEAR if year is None else year, month, day)
    except (ValueError, OverflowError) as problem:
        raise NotADay from problem
    if year is not None and (year < _EARLIEST_YEAR or born > today):
        raise NotADay

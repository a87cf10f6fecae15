"""How someone becomes a member: one at the till or online, or thousands by a file."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime

from django.db import IntegrityError, transaction

from members.accounts.models import DeadNumber, Identity, Member, Person, Store, User
from members.events import log
from members.lib import codes
from members.lib.transactions import retried

OnEnrol = Callable[[list[int]], None]

# What every new member needs that layers above make (a points account); called in the same transaction.
on_enrol: list[OnEnrol] = []

_BULK_SIZE = 1000
_BULK_TRIES = 3


class EnrolmentContested(Exception):
    """Others kept enrolling the same identities; nothing of this slice was written and it may be repeated."""


@retried
def enrol_member(
    *,
    source: str,
    joined_at: datetime,
    language: str = "en",
    name: str = "",
    email: str = "",
    phone: str = "",
    store: Store | None = None,
    user: User | None = None,
    identity: str = "",
) -> Member:
    """Return a new member with a person and whatever `on_enrol` adds; writes `member.joined`.

    `source` says who enrolled (``web``, ``till``, ``pos-7``), `phone` is E.164. With `identity`, the value by
    which that source knows the person, the call is once per (source, identity): a repeat returns the member of
    the first call.
    """
    if identity:
        known = Member.objects.filter(identities__source=source, identities__value=identity).first()
        if known is not None:
            return known
    member = Member.objects.create(
        number=fresh_numbers(1)[0],
        user=user,
        language=language,
        source=source,
        joined_at=joined_at,
        joined_store=store,
        home_store=store,
    )
    Person.objects.create(member=member, name=name, email=email.lower(), phone=phone)
    if identity:
        Identity.objects.create(member=member, source=source, value=identity)
    for complete in on_enrol:
        complete([member.pk])
    log.write_event(kind="member.joined", member_id=member.pk, data={"member": member.pk}, occurred_at=joined_at)
    return member


def enrol_members_in_bulk(
    *,
    source: str,
    joined: Mapping[str, datetime],
    language: str = "en",
    store_id: int | None = None,
    backfilled: bool = True,
) -> dict[str, int]:
    """Return the member id of every identity in `joined` (value → when first seen), enrolling unknown ones.

    Once per (source, value), whoever else is enrolling the same values. Events are `backfilled` unless told
    otherwise.
    """
    found: dict[str, int] = {}
    for values in _slices(sorted(joined)):
        wanted = {value: joined[value] for value in values}
        found |= _enrol_slice(source, wanted, language=language, store_id=store_id, backfilled=backfilled)
    return found


def _enrol_slice(
    source: str, wanted: Mapping[str, datetime], *, language: str, store_id: int | None, backfilled: bool
) -> dict[str, int]:
    for _attempt in range(_BULK_TRIES):
        known = _known_members(source, wanted)
        missing = {value: at for value, at in wanted.items() if value not in known}
        if not missing:
            return known
        try:
            with transaction.atomic():
                return known | _create_members(
                    source, missing, language=language, store_id=store_id, backfilled=backfilled
                )
        except IntegrityError:
            # Someone enrolled one of these values meanwhile: read again and enrol the rest.
            continue
    raise EnrolmentContested


def _known_members(source: str, wanted: Mapping[str, datetime]) -> dict[str, int]:
    rows = Identity.objects.filter(source=source, value__in=wanted)
    return dict(rows.values_list("value", "member_id"))


def _create_members(
    source: str, missing: Mapping[str, datetime], *, language: str, store_id: int | None, backfilled: bool
) -> dict[str, int]:
    members = Member.objects.bulk_create(
        Member(
            number=number,
            language=language,
            source=source,
            joined_at=joined_at,
            joined_store_id=store_id,
            home_store_id=store_id,
        )
        for number, joined_at in zip(fresh_numbers(len(missing)), missing.values(), strict=True)
    )
    Identity.objects.bulk_create(
        Identity(member=member, source=source, value=value) for member, value in zip(members, missing, strict=True)
    )
    Person.objects.bulk_create(Person(member=member) for member in members)
    for complete in on_enrol:
        complete([member.pk for member in members])
    log.write_events(
        [
            log.NewEvent("member.joined", member.pk, {"member": member.pk}, member.joined_at, backfilled)
            for member in members
        ]
    )
    return {value: member.pk for member, value in zip(members, missing, strict=True)}


def fresh_numbers(count: int) -> list[str]:
    """Return numbers that nobody has or had; the unique constraint guards the moment until they are stored."""
    fresh: set[str] = set()
    while len(fresh) < count:
        drawn = {codes.random_member_number() for _ in range(count - len(fresh))}
        # Members first: a number that dies in between was a member's when they were read.
        for holder in (Member, DeadNumber):
            drawn -= set(holder.objects.filter(number__in=drawn).values_list("number", flat=True))
        fresh |= drawn
    return list(fresh)


def _slices(values: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(values), _BULK_SIZE):
        yield values[start : start + _BULK_SIZE]

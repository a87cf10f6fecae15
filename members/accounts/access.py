"""Which member a login may see, and which member an outside name means."""

import json
from collections.abc import Iterable
from datetime import datetime
from typing import Any, NamedTuple

from django.contrib.auth.models import AnonymousUser
from django.db import connection
from django.db.models import Q

from members.accounts.carrier import member_by_carrier
from members.accounts.live_codes import DIGITS as LIVE_DIGITS
from members.accounts.models import DeadNumber, Identity, Member, Person, User
from members.lib import codes
from members.lib.invoices import is_carrier
from members.lib.prepared import array_of_texts, fetch_prepared

_PUBLIC_ID_PREFIX = "mem_"
_IDENTITY_PREFIX = "identity:"


class MemberNotFound(Exception):
    """There is no such member, or not for whoever asks: nobody learns which."""


class LostCard(MemberNotFound):
    """The number belongs to a card that was reported lost. What it carries is for staff alone."""

    def __init__(self, *, reported_at: datetime, new_number_ends: str) -> None:
        super().__init__()
        self.reported_at = reported_at
        self.new_number_ends = new_number_ends


def current_member(user: User | AnonymousUser) -> Member | None:
    """Return the open membership of a login, or None for visitors, staff and closed memberships."""
    if not isinstance(user, User):
        return None
    return Member.objects.active().filter(user=user).select_related("person").first()


def access_member(user: User | AnonymousUser, public_id: str) -> Member:
    """Return a member whom this login may see: their own, or any for staff who may view members.

    Raises MemberNotFound for a foreign member exactly as for one that does not exist.
    """
    members = Member.objects.select_related("person", "merged_into__person")
    if not (user.is_active and user.is_staff and user.has_perm("members.view_member")):
        own = Q(user=user, merged_into=None) | Q(merged_into__user=user)
        members = members.filter(own) if isinstance(user, User) else members.none()
    member = members.filter(public_id=public_id).first() if _is_plain(public_id) else None
    if member is None:
        raise MemberNotFound
    return member.merged_into or member


def find_member(reference: str) -> Member:
    """Return the open membership that a till or shop names: a member number, a public id, ``identity:SOURCE:VALUE``, or
    the invoice carrier of a member who lets it. What names a merged member leads to the one that stays. Of what the QR
    code of a card says only the number counts here; scanning.resolve_card looks at the live code behind it.

    Raises MemberNotFound, LostCard for the number of a lost card.
    """
    reference = _told(reference)
    member = _look_up(reference) if _is_plain(reference) else None
    if member is None and codes.is_member_number(reference):
        refuse_lost_card(reference)
    if member is not None:
        member = member.merged_into or member
    if member is None or member.status != Member.Status.ACTIVE:
        raise MemberNotFound
    return member


def history_ids(member_id: int) -> list[int]:
    """Return the ids under which the member's past is kept: the own one and those of members merged into it."""
    merged = Member.objects.filter(merged_into=member_id).order_by("pk")
    return [member_id, *merged.values_list("pk", flat=True)]


def surviving_id(member_id: int) -> int:
    """Return the id of the member that this one was merged into, or its own."""
    merged_into = Member.objects.filter(pk=member_id).values_list("merged_into", flat=True).first()
    return merged_into or member_id


def surviving_ids(member_ids: Iterable[int]) -> dict[int, int]:
    """Return the survivors of those among these members who were merged; the others are missing. One query."""
    merged = Member.objects.filter(pk__in=set(member_ids)).exclude(merged_into=None)
    return dict(merged.values_list("pk", "merged_into_id"))


def refuse_lost_card(number: str) -> None:
    """Raise LostCard when this is the number of a card that was reported lost."""
    dead = DeadNumber.objects.filter(number=number).select_related("member").first()
    if dead is not None:
        raise LostCard(reported_at=dead.at, new_number_ends=dead.member.number[-4:])


class Named(NamedTuple):
    """A member that was named: its id, and the number that may be shown."""

    member_id: int
    number: str


def find_named(reference: str) -> Named:
    """Return the id and the number of the member that ``find_member`` would return; raises what it raises.

    One query for a number: the row of the member stays unread.
    """
    named = find_members([reference]).get(reference)
    if named is not None:
        return named
    if codes.is_member_number(_told(reference)):
        refuse_lost_card(_told(reference))
    raise MemberNotFound


def find_members(references: Iterable[str]) -> dict[str, Named]:
    """Return the open memberships that the references name, as ``find_member`` would; the others are missing.

    At most four queries, however many references.
    """
    wanted = {reference: _told(reference) for reference in references if _is_plain(reference)}
    texts = set(wanted.values())
    identities = {text for text in texts if text.startswith(_IDENTITY_PREFIX)}
    carriers = {text for text in texts if is_carrier(text)}
    found = _named_by_themselves(texts - identities - carriers)
    found |= _named_by_identity(identities) | _named_by_carrier(carriers)
    return {reference: found[text] for reference, text in wanted.items() if text in found}


def lost_cards(references: Iterable[str]) -> set[str]:
    """Return which of the references are numbers of cards that were reported lost. One query, none for none."""
    numbers = {_told(reference): reference for reference in references if codes.is_member_number(_told(reference))}
    if not numbers:
        return set()
    dead = DeadNumber.objects.filter(number__in=numbers).values_list("number", flat=True)
    return {numbers[number] for number in dead}


_OPEN = Q(status=Member.Status.ACTIVE) | Q(merged_into__status=Member.Status.ACTIVE)


def _named(pk: int, number: str, survivor: int | None, survivors_number: str | None) -> Named:
    return Named(survivor, survivors_number) if survivor and survivors_number else Named(pk, number)


def _named_by_themselves(texts: set[str]) -> dict[str, Named]:
    """Return the members of numbers and public ids. On the hot path of purchases, hence the plain SQL."""
    numbers = [text for text in texts if codes.is_member_number(text)]
    public_ids = [text for text in texts if text.startswith(_PUBLIC_ID_PREFIX)]
    rows = _rows_of("m.number", numbers) + _rows_of("m.public_id", public_ids)
    return {text: _named(*head) for text, *head in rows}


# One name at a time: over both at once PostgreSQL may choose to read all members.
_MEMBERS = """
SELECT {name}, m.id, m.number, survivor.id, survivor.number
FROM members_member m LEFT JOIN members_member survivor ON survivor.id = m.merged_into_id
WHERE {name} {among} AND (m.status = 'ACTIVE' OR survivor.status = 'ACTIVE')
"""


def _rows_of(name: str, texts: list[str]) -> list[tuple[Any, ...]]:
    """Return text, id, number, and those of the survivor. No query for no texts."""
    if not texts:
        return []
    if connection.vendor == "postgresql":
        return fetch_prepared(_MEMBERS.format(name=name, among="= ANY($1::text[])"), [array_of_texts(texts)])
    with connection.cursor() as cursor:
        cursor.execute(_MEMBERS.format(name=name, among="IN (SELECT value FROM json_each(%s))"), [json.dumps(texts)])
        rows: list[tuple[Any, ...]] = cursor.fetchall()
    return rows


def _named_by_identity(texts: set[str]) -> dict[str, Named]:
    """Return the members of references ``identity:SOURCE:VALUE``."""
    if not texts:
        return {}
    values: dict[str, list[str]] = {}
    for text in texts:
        source, _, value = text.removeprefix(_IDENTITY_PREFIX).partition(":")
        values.setdefault(source, []).append(value)
    condition = Q()
    for source, own in values.items():
        condition |= Q(source=source, value__in=own)
    rows = Identity.objects.filter(condition, member__in=Member.objects.filter(_OPEN))
    head = ("member", "member__number", "member__merged_into", "member__merged_into__number")
    return {
        f"{_IDENTITY_PREFIX}{source}:{value}": _named(*row)
        for source, value, *row in rows.values_list("source", "value", *head)
    }


def _named_by_carrier(texts: set[str]) -> dict[str, Named]:
    if not texts:
        return {}
    rows = Person.objects.filter(
        carrier__in={text.upper() for text in texts},
        carrier_is_key_since__isnull=False,
        member__in=Member.objects.filter(_OPEN),
    )
    head = ("member", "member__number", "member__merged_into", "member__merged_into__number")
    found = {carrier: _named(*row) for carrier, *row in rows.values_list("carrier", *head)}
    return {text: found[text.upper()] for text in texts if text.upper() in found}


def _look_up(reference: str) -> Member | None:
    if reference.startswith(_IDENTITY_PREFIX):
        source, _, value = reference.removeprefix(_IDENTITY_PREFIX).partition(":")
        identities = Identity.objects.select_related("member__merged_into")
        identity = identities.filter(source=source, value=value).first()
        return identity.member if identity else None
    if is_carrier(reference):
        return member_by_carrier(reference)
    if reference.startswith(_PUBLIC_ID_PREFIX):
        return Member.objects.select_related("merged_into").filter(public_id=reference).first()
    if codes.is_member_number(reference):
        return Member.objects.select_related("merged_into").filter(number=reference).first()
    return None


def _told(reference: str) -> str:
    """Return the reference without what surrounds it: spaces, and the live code behind a member number."""
    text = reference.strip()
    number, code = text[:-LIVE_DIGITS], text[-LIVE_DIGITS:]
    return number if code.isascii() and code.isdigit() and codes.is_member_number(number) else text


def _is_plain(text: str) -> bool:
    # PostgreSQL cannot even compare with a text that holds NUL.
    return "\x00" not in text

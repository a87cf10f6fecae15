"""Which member a login may see, and which member an outside name means."""

from collections.abc import Iterable
from typing import NamedTuple

from django.contrib.auth.models import AnonymousUser
from django.db.models import Q

from members.accounts.models import Identity, Member, User
from members.lib import codes

_PUBLIC_ID_PREFIX = "mem_"
_IDENTITY_PREFIX = "identity:"


class MemberNotFound(Exception):
    """There is no such member, or not for whoever asks: nobody learns which."""


def current_member(user: User | AnonymousUser) -> Member | None:
    """Return the open membership of a login, or None for visitors, staff and closed memberships."""
    if not isinstance(user, User):
        return None
    return Member.objects.active().filter(user=user).select_related("person").first()


def access_member(user: User | AnonymousUser, public_id: str) -> Member:
    """Return a member whom this login may see: their own, or any for staff who may view members.

    Raises MemberNotFound for a foreign member exactly as for one that does not exist.
    """
    members = Member.objects.select_related("person")
    if not (user.is_active and user.is_staff and user.has_perm("members.view_member")):
        members = members.filter(user=user) if isinstance(user, User) else members.none()
    member = members.filter(public_id=public_id).first() if _is_plain(public_id) else None
    if member is None:
        raise MemberNotFound
    return member


def find_member(reference: str) -> Member:
    """Return the open membership that a till or shop names: a member number, a public id, or
    ``identity:SOURCE:VALUE``. Raises MemberNotFound.
    """
    member = _look_up(reference.strip()) if _is_plain(reference) else None
    if member is None or member.status != Member.Status.ACTIVE:
        raise MemberNotFound
    return member


class Named(NamedTuple):
    """A member that was named: its id, and the number that may be shown."""

    member_id: int
    number: str


def find_members(references: Iterable[str]) -> dict[str, Named]:
    """Return the open memberships that the references name, as ``find_member`` would; the others are missing.

    Two queries, however many references.
    """
    wanted = {reference: reference.strip() for reference in references if _is_plain(reference)}
    identities = {text for text in wanted.values() if text.startswith(_IDENTITY_PREFIX)}
    found = _named_by_themselves(set(wanted.values()) - identities) | _named_by_identity(identities)
    return {reference: found[text] for reference, text in wanted.items() if text in found}


def _named_by_themselves(texts: set[str]) -> dict[str, Named]:
    numbers = {text for text in texts if codes.is_member_number(text)}
    public_ids = {text for text in texts if text.startswith(_PUBLIC_ID_PREFIX)}
    if not numbers | public_ids:
        return {}
    members = Member.objects.active().filter(Q(number__in=numbers) | Q(public_id__in=public_ids))
    found = {}
    for pk, number, public_id in members.values_list("pk", "number", "public_id"):
        found[number] = found[public_id] = Named(pk, number)
    return {text: named for text, named in found.items() if text in texts}


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
    rows = Identity.objects.filter(condition, member__in=Member.objects.active())
    return {
        f"{_IDENTITY_PREFIX}{source}:{value}": Named(pk, number)
        for source, value, pk, number in rows.values_list("source", "value", "member_id", "member__number")
    }


def _look_up(reference: str) -> Member | None:
    if reference.startswith(_IDENTITY_PREFIX):
        source, _, value = reference.removeprefix(_IDENTITY_PREFIX).partition(":")
        identity = Identity.objects.filter(source=source, value=value).select_related("member").first()
        return identity.member if identity else None
    if reference.startswith(_PUBLIC_ID_PREFIX):
        return Member.objects.filter(public_id=reference).first()
    if codes.is_member_number(reference):
        return Member.objects.filter(number=reference).first()
    return None


def _is_plain(text: str) -> bool:
    # PostgreSQL cannot even compare with a text that holds NUL.
    return "\x00" not in text

"""Which member a login may see, and which member an outside name means."""

from django.contrib.auth.models import AnonymousUser

from members.accounts.carrier import member_by_carrier
from members.accounts.models import Identity, Member, User
from members.lib import codes
from members.lib.invoices import is_carrier

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
    """Return the open membership that a till or shop names: a member number, a public id,
    ``identity:SOURCE:VALUE``, or the invoice carrier of a member who lets it. Raises MemberNotFound.
    """
    member = _look_up(reference.strip()) if _is_plain(reference) else None
    if member is None or member.status != Member.Status.ACTIVE:
        raise MemberNotFound
    return member


def _look_up(reference: str) -> Member | None:
    if reference.startswith(_IDENTITY_PREFIX):
        source, _, value = reference.removeprefix(_IDENTITY_PREFIX).partition(":")
        identity = Identity.objects.filter(source=source, value=value).select_related("member").first()
        return identity.member if identity else None
    if is_carrier(reference):
        return member_by_carrier(reference)
    if reference.startswith(_PUBLIC_ID_PREFIX):
        return Member.objects.filter(public_id=reference).first()
    if codes.is_member_number(reference):
        return Member.objects.filter(number=reference).first()
    return None


def _is_plain(text: str) -> bool:
    # PostgreSQL cannot even compare with a text that holds NUL.
    return "\x00" not in text

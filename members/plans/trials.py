"""A trial is once per person, for ever: also after leaving, joining again, or being deleted."""

from collections.abc import Iterable
from datetime import datetime

from allauth.account.models import EmailAddress
from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils.crypto import salted_hmac

from members.accounts.models import Member
from members.plans.models import TrialUse

_SALT = "members.plans.trial"


class TrialUsed(Exception):
    """This person had a trial before."""


class NothingConfirmed(Exception):
    """A trial needs a confirmed address or telephone number: without one nobody knows whose it is."""


def had_trial(member: Member) -> bool:
    """Tell whether the member, or whoever owned one of their confirmed contacts, had a trial."""
    secrets = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    marks = [f"member:{member.pk}", *_confirmed(member)]
    hashes = [_hash(mark, secret) for mark in marks for secret in secrets]
    return TrialUse.objects.filter(contact_hash__in=hashes).exists()


def use_trial(member: Member, *, at: datetime) -> None:
    """Remember that the member has their trial, by keyed hashes alone. Raises NothingConfirmed or TrialUsed."""
    contacts = _confirmed(member)
    if not contacts:
        raise NothingConfirmed
    if had_trial(member):
        raise TrialUsed
    marks = [f"member:{member.pk}", *contacts]
    rows = [TrialUse(contact_hash=_hash(mark, settings.SECRET_KEY), at=at) for mark in sorted(set(marks))]
    try:
        # A savepoint: someone else with the same contact may have been first.
        with transaction.atomic():
            TrialUse.objects.bulk_create(rows)
    except IntegrityError as problem:
        raise TrialUsed from problem


def _confirmed(member: Member) -> list[str]:
    if member.user is None:
        return []
    addresses: Iterable[str] = EmailAddress.objects.filter(user=member.user, verified=True).values_list(
        "email", flat=True
    )
    found = [f"email:{fold_address(address)}" for address in addresses]
    if member.user.phone_verified and member.user.phone:
        found.append(f"phone:{member.user.phone}")
    return found


def fold_address(address: str) -> str:
    """Return the mailbox behind an address: lower case, without what follows a plus sign."""
    name, _at, domain = address.lower().partition("@")
    return f"{name.partition('+')[0]}@{domain}"


def _hash(mark: str, secret: str) -> str:
    return salted_hmac(_SALT, mark, secret=secret, algorithm="sha256").hexdigest()

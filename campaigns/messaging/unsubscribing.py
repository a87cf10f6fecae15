"""Refusing without a login: the signed link of a mail, and the page of wishes for those who are logged in."""

from collections.abc import Collection

from django.conf import settings
from django.core import signing
from django.urls import reverse

from members.accounts.consent import current_consents, record_consent
from members.accounts.models import Consent, Member
from members.lib.transactions import retried

# One purpose, one salt: a token of another purpose is worth nothing here.
_SALT = "campaigns.unsubscribe"
# What a member may refuse: service messages belong to taking part.
_WISHES = [
    (channel, purpose)
    for channel in Consent.Channel.values
    for purpose in (Consent.Purpose.MARKETING.value, Consent.Purpose.SURVEY.value)
]


class BadToken(Exception):
    """The link was not made by us."""


def unsubscribe_url(*, member_public_id: str, channel: str) -> str:
    """Return the address that refuses offers on one channel; it works without a login and for ever."""
    token = _signer().sign(f"{member_public_id}.{channel}")
    return settings.SITE_URL + reverse("campaigns:unsubscribe", args=[token])


def check_token(token: str) -> str:
    """Return the channel the link is about and change nothing. Raises BadToken."""
    return _read(token)[1]


@retried
def unsubscribe(*, token: str, everything: bool) -> None:
    """Refuse offers on the link's channel, or offers and surveys on every channel; a repeat changes nothing.

    When this returns, no hand-over that has not happened yet will happen. Raises BadToken.
    """
    public_id, channel = _read(token)
    member = Member.objects.filter(public_id=public_id).first()
    if member is None:
        return
    refused = _WISHES if everything else [(channel, Consent.Purpose.MARKETING.value)]
    for each, purpose in refused:
        record_consent(member_id=member.pk, channel=each, purpose=purpose, granted=False, source="unsubscribe")


@retried
def save_wishes(*, member_id: int, wanted: Collection[tuple[str, str]], actor_id: int) -> None:
    """Record the member's wishes: every (channel, purpose) of offers and surveys is granted or refused."""
    for channel, purpose in _WISHES:
        record_consent(
            member_id=member_id,
            channel=channel,
            purpose=purpose,
            granted=(channel, purpose) in wanted,
            source="portal",
            actor_id=actor_id,
        )


def wishes_of(member_id: int) -> set[tuple[str, str]]:
    """Return the (channel, purpose) pairs of offers and surveys on which we may write to the member."""
    holds = current_consents(member_id)
    return {wish for wish in _WISHES if holds[wish]}


def _signer() -> signing.Signer:
    return signing.Signer(salt=_SALT)


def _read(token: str) -> tuple[str, str]:
    try:
        public_id, _dot, channel = _signer().unsign(token).partition(".")
    except signing.BadSignature as problem:
        raise BadToken from problem
    return public_id, channel

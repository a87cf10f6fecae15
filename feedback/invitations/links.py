"""The secret links of an invitation: to answer, and to be asked no more."""

from django.conf import settings
from django.urls import reverse

from feedback.invitations.models import Invitation
from members.accounts.consent import record_consent
from members.accounts.models import Consent
from members.lib.transactions import retried


class UnknownLink(Exception):
    """No invitation has this token, or it was withdrawn."""


def answer_url(invitation: Invitation) -> str:
    """Return the address that opens the survey without a login."""
    return settings.SITE_URL + reverse("feedback:answer", args=[invitation.token])


def stop_url(invitation: Invitation) -> str:
    """Return the address at which the member refuses surveys without a login."""
    return settings.SITE_URL + reverse("feedback:stop", args=[invitation.token])


@retried
def refuse_surveys(*, token: str) -> None:
    """Record that the member wants no surveys on any channel; works for ever, a repeat changes nothing.

    Raises UnknownLink.
    """
    member_id = member_of(token=token)
    for channel in Consent.Channel.values:
        record_consent(
            member_id=member_id,
            channel=channel,
            purpose=Consent.Purpose.SURVEY,
            granted=False,
            source="unsubscribe",
        )


def member_of(*, token: str) -> int:
    """Return the id of the invited member, changing nothing. Raises UnknownLink."""
    member_id = Invitation.objects.filter(token=token).values_list("member_id", flat=True).first()
    if member_id is None:
        raise UnknownLink
    return member_id

"""What members allow us to send them: an append-only statement per channel and purpose; the newest counts.

Without a statement, marketing is forbidden; service messages and surveys are allowed until refused.
"""

from collections.abc import Iterable
from datetime import datetime

from django.db.models import OuterRef, Subquery

from members.accounts.access import surviving_id
from members.accounts.models import Consent, Member
from members.events import log
from members.lib.clock import database_now
from members.lib.transactions import retried

# The version of the words shown next to the consent boxes; raise it whenever those words change.
TEXT_VERSION = "1"

_ALLOWED_UNTIL_REFUSED = {Consent.Purpose.SERVICE.value, Consent.Purpose.SURVEY.value}


def lock_consent(member_id: int) -> None:
    """Hold the member's consent until the transaction ends: no statement of will can slip in between.

    Call it alone, before `may_contact`, when a message is handed to a channel.
    """
    list(Member.objects.select_for_update(no_key=True).filter(pk=member_id).values_list("pk"))


@retried
def record_consent(
    *,
    member_id: int,
    channel: str,
    purpose: str,
    granted: bool,
    source: str,
    actor_id: int | None = None,
    text_version: str = TEXT_VERSION,
    at: datetime | None = None,
) -> Consent:
    """Append a statement of will and write `consent.changed`; repeating the newest one returns it unchanged.

    `source` names where it was said (``portal``, ``unsubscribe``, ``import``); `actor_id` who typed it. What was meant
    for a merged member counts for the one that stays.
    """
    member_id = surviving_id(member_id)
    lock_consent(member_id)
    newest = Consent.objects.filter(member_id=member_id, channel=channel, purpose=purpose).order_by("-id").first()
    if newest is not None and newest.granted == granted:
        return newest
    statement = Consent.objects.create(
        member_id=member_id,
        channel=Consent.Channel(channel),
        purpose=Consent.Purpose(purpose),
        granted=granted,
        source=source,
        text_version=text_version,
        actor_id=actor_id,
        at=at or database_now(),
        language=Member.objects.values_list("language", flat=True).get(pk=member_id),
    )
    log.write_event(
        kind="consent.changed",
        member_id=member_id,
        data={"consent": statement.pk, "granted": int(granted)},
        occurred_at=statement.at,
    )
    return statement


def may_contact(*, member_id: int, channel: str, purpose: str) -> bool:
    """Tell whether the newest statement, or the default, allows this purpose on this channel."""
    return member_id in contactable(member_ids=[member_id], channel=channel, purpose=purpose)


def contactable(*, member_ids: Iterable[int], channel: str, purpose: str) -> set[int]:
    """Return those of the members who may be contacted; closed memberships only for service messages."""
    default = Consent.Purpose(purpose).value in _ALLOWED_UNTIL_REFUSED
    newest = Consent.objects.filter(member=OuterRef("pk"), channel=Consent.Channel(channel), purpose=purpose).order_by(
        "-id"
    )
    rows = Member.objects.filter(pk__in=list(member_ids)).annotate(said=Subquery(newest.values("granted")[:1]))
    if purpose != Consent.Purpose.SERVICE:
        rows = rows.active()
    return {pk for pk, said in rows.values_list("pk", "said") if (default if said is None else said)}


def current_consents(member_id: int) -> dict[tuple[str, str], bool]:
    """Return what holds now for each (channel, purpose), defaults included."""
    holds = {
        (channel.value, purpose.value): purpose.value in _ALLOWED_UNTIL_REFUSED
        for channel in Consent.Channel
        for purpose in Consent.Purpose
    }
    said = Consent.objects.filter(member_id=member_id).order_by("id").values_list("channel", "purpose", "granted")
    return holds | {(channel, purpose): granted for channel, purpose, granted in said}

"""Handing deliveries to their channels: each at most once, whatever is killed in between.

planned → claimed (a worker has it) → handed (committed before the channel is called) → sent, refused, failed
or unknown. A claimed row that is abandoned goes back; a handed one may have been sent, so it becomes unknown.
Only transactional messages are then sent a second time, with the same Message-ID.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction

from campaigns.messaging.channels import email, sms
from campaigns.messaging.channels.letter import Answer, Letter, Outcome
from campaigns.messaging.gate import Closed, choose_channel
from campaigns.messaging.kinds import NothingToSay, NotYet, kind_of
from campaigns.messaging.models import Delivery, DeliveryAttempt
from campaigns.messaging.rendering import write_letter
from members.accounts.consent import lock_consent
from members.accounts.models import Consent
from members.lib.clock import database_now
from members.lib.transactions import retried

logger = logging.getLogger(__name__)

State = Delivery.State

LEASE = timedelta(minutes=2)
BATCH = 50
# How long to wait after the first, second, … refusal; after the last one the delivery has failed.
WAITS = tuple(timedelta(minutes=minutes) for minutes in (1, 5, 15, 60, 240))
POSTPONED = timedelta(minutes=5)
_STATE_OF = {Outcome.SENT: State.SENT, Outcome.FAILED: State.FAILED, Outcome.UNKNOWN: State.UNKNOWN}

Channel = Callable[[Letter], Answer]
CHANNELS: dict[str, Channel] = {Consent.Channel.EMAIL: email.hand_over, Consent.Channel.SMS: sms.hand_over}


@dataclass(frozen=True)
class Handed:
    """A letter whose hand-over is committed: it must be given to the channel now, once."""

    delivery_id: int
    number: int
    channel: str
    letter: Letter


def send_due(*, at: datetime | None = None, limit: int = BATCH) -> int:
    """Send up to ``limit`` due deliveries one after the other; return how many were taken up."""
    claimed = claim_due(at=at, limit=limit)
    for delivery_id in claimed:
        hand_over(delivery_id, at=at)
    return len(claimed)


def send_one(delivery_id: int, *, at: datetime | None = None) -> None:
    """Send one delivery if it is due and nobody else has it."""
    now = at or database_now()
    due = Delivery.objects.filter(pk=delivery_id, state__in=[State.PLANNED, State.REFUSED], due_at__lte=now)
    if due.update(state=State.CLAIMED, lease_until=now + LEASE):
        hand_over(delivery_id, at=at)


@retried
def claim_due(*, at: datetime | None = None, limit: int = BATCH) -> list[int]:
    """Take up to ``limit`` due deliveries that no other worker has and return their ids."""
    now = at or database_now()
    ids = list(Delivery.objects.due(now).locked().values_list("pk", flat=True)[:limit])
    Delivery.objects.filter(pk__in=ids).update(state=State.CLAIMED, lease_until=now + LEASE)
    return ids


def hand_over(delivery_id: int, *, at: datetime | None = None) -> None:
    """Give one claimed delivery to its channel and keep the answer."""
    try:
        handed = _commit_hand_over(delivery_id, at=at)
    except Exception:
        # A text that cannot be written concerns this delivery alone; the ones behind it go on.
        logger.exception("letter could not be written", extra={"delivery": delivery_id})
        _finish_unsent(delivery_id, state=State.FAILED, reason="not_written")
        return
    if handed is not None:
        answer = CHANNELS[handed.channel](handed.letter)
        settle(handed.delivery_id, number=handed.number, answer=answer)


@retried
def _commit_hand_over(delivery_id: int, *, at: datetime | None) -> Handed | None:
    """Ask the gate under the consent lock and write ``handed``; None when nothing is to be sent."""
    member_id = Delivery.objects.values_list("member_id", flat=True).get(pk=delivery_id)
    lock_consent(member_id)
    delivery = Delivery.objects.select_for_update(of=_of_self()).select_related("campaign").get(pk=delivery_id)
    if delivery.state != State.CLAIMED:
        return None
    now = at or database_now()
    kind = kind_of(delivery)
    try:
        person, channel = choose_channel(delivery, kind, at=now)
        letter = write_letter(delivery, kind, person=person, channel=channel, at=now)
    except Closed as closed:
        _close(delivery, state=closed.state, reason=closed.reason, at=now)
    except NothingToSay as nothing:
        _close(delivery, state=State.SKIPPED, reason=nothing.reason, at=now)
    except NotYet:
        _postpone(delivery, at=now)
    else:
        return _mark_handed(delivery, channel, letter, at=now)
    return None


def _mark_handed(delivery: Delivery, channel: str, letter: Letter, *, at: datetime) -> Handed:
    delivery.state, delivery.channel, delivery.reason = State.HANDED, channel, ""
    delivery.attempts += 1
    delivery.lease_until = at + LEASE
    delivery.save(update_fields=["state", "channel", "reason", "attempts", "lease_until"])
    DeliveryAttempt.objects.create(delivery=delivery, number=delivery.attempts, channel=channel, handed_at=at)
    return Handed(delivery.pk, delivery.attempts, channel, letter)


def _close(delivery: Delivery, *, state: State, reason: str, at: datetime) -> None:
    delivery.state, delivery.reason = state, reason
    delivery.lease_until, delivery.finished_at = None, at
    delivery.save(update_fields=["state", "reason", "lease_until", "finished_at"])


def _postpone(delivery: Delivery, *, at: datetime) -> None:
    delivery.state, delivery.lease_until, delivery.due_at = State.PLANNED, None, at + POSTPONED
    delivery.save(update_fields=["state", "lease_until", "due_at"])


def _finish_unsent(delivery_id: int, *, state: State, reason: str) -> None:
    Delivery.objects.filter(pk=delivery_id, state=State.CLAIMED).update(
        state=state, reason=reason, lease_until=None, finished_at=database_now()
    )


@retried
def settle(delivery_id: int, *, number: int, answer: Answer) -> None:
    """Write down what the channel answered to hand-over ``number``.

    An answer that comes after the row was given up still counts, unless a later hand-over has begun.
    """
    delivery = Delivery.objects.select_for_update().get(pk=delivery_id)
    DeliveryAttempt.objects.filter(delivery=delivery, number=number).update(
        outcome=answer.outcome, detail=answer.detail[:60]
    )
    if delivery.attempts != number or delivery.state in {State.SENT, State.FAILED, State.CANCELLED}:
        return
    _apply(delivery, answer, at=database_now())


def _apply(delivery: Delivery, answer: Answer, *, at: datetime) -> None:
    if answer.outcome == Outcome.REFUSED:
        _try_later_or_fail(delivery, answer.detail, at=at)
    elif answer.outcome == Outcome.UNKNOWN and _may_repeat(delivery):
        _repeat(delivery, at=at)
    else:
        _close(delivery, state=_STATE_OF[answer.outcome], reason=answer.detail[:60], at=at)
        on_sent = kind_of(delivery).on_sent
        if answer.outcome == Outcome.SENT and on_sent is not None:
            on_sent(delivery)


def _try_later_or_fail(delivery: Delivery, detail: str, *, at: datetime) -> None:
    refusals = DeliveryAttempt.objects.filter(delivery=delivery, outcome=Outcome.REFUSED).count()
    if refusals > len(WAITS):
        _close(delivery, state=State.FAILED, reason="refused_too_often", at=at)
        return
    delivery.state, delivery.reason, delivery.lease_until = State.REFUSED, detail[:60], None
    delivery.due_at = at + WAITS[refusals - 1]
    delivery.save(update_fields=["state", "reason", "lease_until", "due_at"])


def recover_lost(*, at: datetime | None = None) -> int:
    """Take care of rows whose worker is gone; return how many hand-overs are now unknown."""
    now = at or database_now()
    Delivery.objects.abandoned(State.CLAIMED, now).update(state=State.PLANNED, lease_until=None)
    lost = list(Delivery.objects.abandoned(State.HANDED, now).values_list("pk", flat=True)[:1000])
    for delivery_id in lost:
        _give_up(delivery_id, at=now)
    return len(lost)


@transaction.atomic
def _give_up(delivery_id: int, *, at: datetime) -> None:
    delivery = Delivery.objects.select_for_update().get(pk=delivery_id)
    if delivery.state != State.HANDED or delivery.lease_until is None or delivery.lease_until >= at:
        return
    DeliveryAttempt.objects.filter(delivery=delivery, number=delivery.attempts).update(
        outcome=Outcome.UNKNOWN, detail="worker_lost"
    )
    _apply(delivery, Answer(Outcome.UNKNOWN, "worker_lost"), at=at)


def _may_repeat(delivery: Delivery) -> bool:
    """Transactional messages prefer a duplicate: one repeat, with the same Message-ID."""
    lost = DeliveryAttempt.objects.filter(delivery=delivery, outcome=Outcome.UNKNOWN).count()
    return kind_of(delivery).is_transactional and lost <= 1


def _repeat(delivery: Delivery, *, at: datetime) -> None:
    delivery.state, delivery.reason = State.PLANNED, "sent_again_answer_lost"
    delivery.lease_until, delivery.due_at = None, at
    delivery.save(update_fields=["state", "reason", "lease_until", "due_at"])


def _of_self() -> tuple[str, ...]:
    return ("self",) if transaction.get_connection().features.has_select_for_update_of else ()

"""Rewarding both sides after the return window, and taking the rewards back.

Member and friend are rewarded in two transactions, so that none of them holds two accounts; outbox rows join
them. Every function here locks the referral first and an account afterwards.
"""

from datetime import datetime, timedelta
from typing import Any, Literal

from campaigns.referral.limits import is_limit_reached
from campaigns.referral.models import Referral, ReferralCode
from campaigns.referral.worth import reason_against_amount
from members.accounts.models import Member
from members.events.log import write_event
from members.events.models import Event
from members.jobs.outbox import enqueue, handles
from members.ledger import posting
from members.ledger.statements import entry_points
from members.lib import periods
from members.lib.clock import database_now
from members.lib.transactions import retried
from members.programme.models import Programme

State = Referral.State
Reason = Referral.Reason
Side = Literal["advocate", "friend"]
SIDES: tuple[Side, Side] = ("advocate", "friend")


@retried
def approve(*, referral_id: int, at: datetime) -> None:
    """Approve one waiting referral, or say why not, and set both rewards off; a repeat changes nothing."""
    advocate_id = Referral.objects.values_list("advocate_id", flat=True).get(pk=referral_id)
    # One row per advocate, so that two approvals do not both find room under the same limit.
    ReferralCode.objects.select_for_update().get(member_id=advocate_id)
    referral = Referral.objects.select_for_update().get(pk=referral_id)
    if referral.state != State.PENDING:
        return
    reason_against = Reason.MEMBER_GONE if _is_someone_gone(referral) else reason_against_amount(referral)
    if reason_against is not None:
        undo(referral, reason_against)
    elif referral.cleared_by_id is None and is_limit_reached(referral.campaign, advocate_id, at=at):
        referral.state, referral.reason = State.BLOCKED, Reason.LIMIT_REACHED
        referral.save(update_fields=["state", "reason"])
    else:
        _approve(referral, at)


def _approve(referral: Referral, at: datetime) -> None:
    referral.state, referral.reason, referral.approved_at = State.APPROVED, "", at
    referral.advocate_points = referral.campaign.gift_points
    referral.friend_points = referral.campaign.friend_points
    referral.save(update_fields=["state", "reason", "approved_at", "advocate_points", "friend_points"])
    for side in SIDES:
        enqueue(
            kind="referral.reward",
            payload={"referral": referral.pk, "side": side},
            key=f"referral:{referral.pk}:{side}",
        )


def _is_someone_gone(referral: Referral) -> bool:
    return Member.objects.active().filter(pk__in=[referral.advocate_id, referral.friend_id]).count() < 2


@handles("referral.reward")
def reward_side(payload: dict[str, Any]) -> None:
    """Reward one side of an approved referral."""
    reward(referral_id=payload["referral"], side=payload["side"])


@retried
def reward(*, referral_id: int, side: Side) -> None:
    """Give one side its points, once; the second of the two makes the referral rewarded."""
    referral = _lock(referral_id)
    if referral.state != State.APPROVED:
        return
    points = _points(referral, side)
    if points and _entry_id(referral, side) is None:
        entry = posting.grant(
            member_id=_member_id(referral, side),
            points=points,
            key=f"referral:{referral.pk}:{side}",
            reason="referral",
            data={"referral": referral.pk},
            expires_at=_expires_at(referral),
        )
        setattr(referral, f"{side}_entry_id", entry.pk)
        referral.save(update_fields=[f"{side}_entry"])
    if all(_entry_id(referral, each) or not _points(referral, each) for each in SIDES):
        _finish(referral)


def _finish(referral: Referral) -> None:
    referral.state = State.GRANTED
    referral.save(update_fields=["state"])
    write_event(kind="referral.granted", member_id=referral.advocate_id, data={"referral": referral.pk})


def undo(referral: Referral, reason: Reason) -> None:
    """Cancel a referral the caller has locked; points already given are taken back on both sides."""
    if referral.state in {State.CANCELLED, State.REVERSED}:
        return
    given = [side for side in SIDES if _entry_id(referral, side) is not None]
    if referral.state == State.GRANTED:
        _tell_reversed(referral)
    referral.state, referral.reason = State.REVERSED if given else State.CANCELLED, reason
    referral.save(update_fields=["state", "reason"])
    for side in given:
        enqueue(
            kind="referral.take_back",
            payload={"referral": referral.pk, "side": side},
            key=f"referral:{referral.pk}:{side}:back",
        )


def _tell_reversed(referral: Referral) -> None:
    """Write which event counts no longer: of the same member, whoever that is merged into meanwhile."""
    granted = Event.objects.get(kind="referral.granted", data__referral=referral.pk)
    data = {"referral": referral.pk, "granted": granted.pk}
    write_event(kind="referral.reversed", member_id=granted.member_id, data=data)


@handles("referral.take_back")
def take_side_back(payload: dict[str, Any]) -> None:
    """Take back what one side of a referral was given."""
    take_back(referral_id=payload["referral"], side=payload["side"])


@retried
def take_back(*, referral_id: int, side: Side) -> None:
    """Take one side's points back, once; what the balance lacks follows the programme's rule of debts."""
    referral = _lock(referral_id)
    entry_id = _entry_id(referral, side)
    # What was given, not what was promised: the maximum balance may have cut it.
    points = 0 if entry_id is None else entry_points(entry_id)
    if referral.state != State.REVERSED or not points:
        return
    posting.take_back(
        member_id=_member_id(referral, side),
        points=points,
        key=f"referral:{referral.pk}:{side}:back",
        reason="referral",
        data={"referral": referral.pk},
        first_from_entry=entry_id,
    )


def _lock(referral_id: int) -> Referral:
    return Referral.objects.select_for_update().get(pk=referral_id)


def _points(referral: Referral, side: Side) -> int:
    return referral.advocate_points if side == "advocate" else referral.friend_points


def _entry_id(referral: Referral, side: Side) -> int | None:
    return referral.advocate_entry_id if side == "advocate" else referral.friend_entry_id


def _member_id(referral: Referral, side: Side) -> int:
    return referral.advocate_id if side == "advocate" else referral.friend_id


def _expires_at(referral: Referral) -> datetime | None:
    days = referral.campaign.gift_valid_days
    if days is None:
        return None
    zone = Programme.current().tz
    return periods.start_of_day(periods.local_day(database_now(), zone) + timedelta(days=days + 1), zone)

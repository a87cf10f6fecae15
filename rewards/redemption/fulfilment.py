"""What becomes of a redemption: used, undone, cancelled with the points given back, expired.

Each move is one conditional update whose row count decides, so of two that race only one happens.
"""

from datetime import datetime
from typing import Any

from members.events.audit_log import write_audit
from members.events.log import write_event
from members.ledger import pools, posting
from members.lib.clock import database_now
from members.lib.transactions import retried
from members.models import PointsEntry
from rewards.redemption.models import Redemption
from rewards.redemption.states import State, may_move
from rewards.stock.movements import return_one

EXPIRY_CHUNK = 500


class NotPossible(Exception):
    """A redemption in this state cannot make this move."""

    def __init__(self, *, state: State, wanted: State) -> None:
        super().__init__(f"{state} → {wanted}")
        self.state = state
        self.wanted = wanted


class ReasonMissing(Exception):
    """A cancellation needs a reason."""


@retried
def mark_used(
    *, redemption_id: int, actor_id: int | None, store_id: int | None = None, at: datetime | None = None
) -> Redemption:
    """Record that the reward was used or handed over (at a store); a repeat changes nothing.

    Raises NotPossible when it is cancelled or its date has passed, whether or not the sweep has run.
    """
    now = at or database_now()
    redemption = _read(redemption_id)
    if redemption.state == State.FULFILLED:
        return redemption
    if redemption.state_at(now) == State.EXPIRED:
        raise NotPossible(state=State.EXPIRED, wanted=State.FULFILLED)
    moved = _move(redemption, State.FULFILLED, fulfilled_at=now, store_id=store_id)
    _record("redemption.fulfilled", moved, actor_id, "", now)
    return moved


@retried
def undo_used(*, redemption_id: int, actor_id: int | None, at: datetime | None = None) -> Redemption:
    """Take back a mark made by mistake: the code can be used again until its date. Raises NotPossible."""
    now = at or database_now()
    redemption = _read(redemption_id)
    if not redemption.reward.behaviour.has_code:
        raise NotPossible(state=State(redemption.state), wanted=State.CAPTURED)
    moved = _move(redemption, State.CAPTURED, fulfilled_at=None, store_id=None)
    _record("redemption.reopened", moved, actor_id, "", now)
    return moved


@retried
def cancel_redemption(
    *, redemption_id: int, by_seller: bool, reason: str, actor_id: int | None, at: datetime | None = None
) -> Redemption:
    """Give the points back to the lots they came from and the piece back to the stock, exactly once.

    Only before use. The code stays with this redemption for ever and is never given again. A repeat changes
    nothing. What others had helped out with goes back to them. ``by_seller`` gives points whose date has passed
    the courtesy days. Raises NotPossible or ReasonMissing.
    """
    if not reason.strip():
        raise ReasonMissing
    # The very account that was spent from, also when its member was merged since: the points go back to its lots.
    spent = PointsEntry.objects.get(redemption=redemption_id)
    pools.lock_for_refund(member_id=spent.member_id, key=spent.key)
    redemption = _read(redemption_id)
    if redemption.state == State.CANCELLED:
        return redemption
    now = at or database_now()
    moved = _move(
        redemption, State.CANCELLED, cancelled_at=now, cancel_reason=reason, refunded_points=redemption.points
    )
    posting.refund_spend(
        entry_id=spent.pk,
        key=f"redemption:{moved.public_id}:refund",
        reason=reason,
        at=now,
        by_seller=by_seller,
    )
    pools.give_back(key=spent.key, at=now)
    _record("redemption.cancelled", moved, actor_id, reason, now)
    return_one(redemption_id=moved.pk, at=now)
    return moved


@retried
def expire_chunk(*, at: datetime, after_id: int = 0) -> tuple[int, int | None]:
    """Mark up to 500 open redemptions past their date as expired; points stay spent.

    Returns how many, and the id to go on after (None when none are left).
    """
    due = Redemption.objects.past_their_date(at).filter(pk__gt=after_id).order_by("pk")
    ids = list(due.select_for_update(no_key=True).values_list("pk", flat=True)[:EXPIRY_CHUNK])
    if not ids:
        return 0, None
    # The locked rows are read anew: one that was used while we waited keeps its state.
    expired = Redemption.objects.past_their_date(at).filter(pk__in=ids).update(state=State.EXPIRED)
    return expired, ids[-1]


def _read(redemption_id: int) -> Redemption:
    return Redemption.objects.select_related("reward").get(pk=redemption_id)


def _move(redemption: Redemption, wanted: State, **changes: Any) -> Redemption:
    current = State(redemption.state)
    if not may_move(current, wanted):
        raise NotPossible(state=current, wanted=wanted)
    moved = Redemption.objects.filter(pk=redemption.pk, state=current).update(state=wanted, **changes)
    now = _read(redemption.pk)
    if not moved:
        raise NotPossible(state=State(now.state), wanted=wanted)
    return now


def _record(kind: str, redemption: Redemption, actor_id: int | None, reason: str, now: datetime) -> None:
    """Write the event, which readers act upon, and the row that says who did it and why."""
    data = {"redemption": redemption.pk}
    write_event(kind=kind, member_id=redemption.member_id, data=data, occurred_at=now)
    write_audit(actor_id=actor_id, action=kind, target=redemption.public_id, reason=reason, data=data)

"""What becomes of a redemption: used, undone, cancelled or refunded with points given back, expired.

Each move is one conditional update whose row count decides, so of two that race only one happens.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from members.ledger import pools, posting
from members.ledger.locking import lock_accounts
from members.lib.clock import database_now
from members.lib.transactions import retried
from members.models import PointsEntry
from members.programme.models import Programme
from rewards.redemption.models import Redemption
from rewards.redemption.moves import NotPossible, ReasonMissing, move, read, record, refuse_own
from rewards.redemption.refusals import Refusal, Refused
from rewards.redemption.states import State, may_move
from rewards.stock.movements import return_one

__all__ = [
    "NotPossible",
    "ReasonMissing",
    "cancel_redemption",
    "expire_chunk",
    "mark_used",
    "refund_redemption",
    "refusal_of_use",
    "undo_used",
]

EXPIRY_CHUNK = 500


@dataclass(frozen=True)
class _Said:
    """What goes with a move that gives points back."""

    reason: str
    actor_id: int | None
    by_seller: bool
    at: datetime


@retried
def mark_used(
    *, redemption_id: int, actor_id: int | None, store_id: int | None = None, at: datetime | None = None
) -> Redemption:
    """Record that the reward was used or handed over (at a store); a repeat changes nothing.

    Raises NotPossible when it is cancelled or not paid, before its first or after its last day (whether or not the
    sweep has run), at a store that the reward does not name, or when it is the staff member's own.
    """
    now = at or database_now()
    redemption = read(redemption_id)
    if redemption.state == State.FULFILLED:
        return redemption
    refuse_own(redemption, actor_id, State.FULFILLED)
    _refuse_use(redemption, store_id, now)
    moved = move(redemption, State.FULFILLED, fulfilled_at=now, store_id=store_id)
    record("redemption.fulfilled", moved, actor_id, now)
    return moved


@retried
def undo_used(*, redemption_id: int, actor_id: int | None, at: datetime | None = None) -> Redemption:
    """Take back a mark made by mistake: the code can be used again until its date.

    Only within the programme's days for it (``redemption_undo_days``, to the second). Raises NotPossible.
    """
    now = at or database_now()
    redemption = read(redemption_id)
    if not redemption.reward.behaviour.has_code:
        raise NotPossible(state=State(redemption.state), wanted=State.CAPTURED, why=Refusal.NO_CODE)
    refuse_own(redemption, actor_id, State.CAPTURED)
    days = Programme.current().redemption_undo_days
    if redemption.fulfilled_at is not None and redemption.fulfilled_at + timedelta(days=days) < now:
        raise NotPossible(state=State(redemption.state), wanted=State.CAPTURED, why=Refusal.TOO_LATE, days=days)
    if redemption.state == State.REFUNDED or redemption.refunded_points:
        raise NotPossible(state=State(redemption.state), wanted=State.CAPTURED)
    moved = move(redemption, State.CAPTURED, fulfilled_at=None, store_id=None)
    record("redemption.reopened", moved, actor_id, now)
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
    spent = _lock(redemption_id, reason)
    redemption = read(redemption_id)
    if redemption.state == State.CANCELLED:
        return redemption
    refuse_own(redemption, actor_id, State.CANCELLED)
    now = at or database_now()
    said = _Said(reason, actor_id, by_seller, now)
    return _take_back(
        redemption, spent, State.CANCELLED, said, key=f"redemption:{redemption.public_id}:refund", restock=True
    )


@retried
def refund_redemption(
    *,
    redemption_id: int,
    points: int | None = None,
    reason: str,
    actor_id: int | None,
    by_seller: bool,
    restock: bool = False,
    key: str = "",
    at: datetime | None = None,
) -> Redemption:
    """Give points of a redemption back, all that is left or ``points`` of them, into the lots they came from.

    A part leaves the state alone. With the last of them an open redemption is cancelled (its piece comes back), a used
    one is REFUNDED (its piece comes back with ``restock``), and what the household had helped out with goes back to
    it. Once per ``key``; without one every call with ``points`` counts, and a repeat for all of them changes nothing.
    Raises NotPossible (more than is left, nothing was paid, wrong state, the staff member's own), posting.NotPositive
    or ReasonMissing.
    """
    spent = _lock(redemption_id, reason)
    redemption = read(redemption_id)
    entry_key = f"redemption:{redemption.public_id}:refund:{key or redemption.refunded_points}"
    if key and posting.posted_with(entry_key) is not None:
        return redemption
    if points is None and redemption.state in (State.CANCELLED, State.REFUNDED):
        return redemption
    wanted = State.CANCELLED if redemption.state == State.CAPTURED else State.REFUNDED
    refuse_own(redemption, actor_id, wanted)
    points = _refundable(redemption, points, wanted)
    said = _Said(reason, actor_id, by_seller, at or database_now())
    if points == redemption.points - redemption.refunded_points:
        return _take_back(redemption, spent, wanted, said, key=entry_key, restock=restock or wanted == State.CANCELLED)
    moved = _give_part(redemption, points)
    posting.refund_spend(
        entry_id=redemption.entry_id or 0, key=entry_key, reason=reason, points=points, at=said.at, by_seller=by_seller
    )
    record("redemption.refunded", moved, actor_id, said.at, reason=reason, points=points)
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


def refusal_of_use(
    redemption: Redemption, *, actor_id: int | None, store_id: int | None, at: datetime
) -> Refused | None:
    """Return why ``mark_used`` would refuse this redemption now, None when it would not; reads only."""
    state = State(redemption.state)
    try:
        if not may_move(state, State.FULFILLED):
            why = Refusal.NOT_PAID if state == State.HELD else Refusal.STATE
            raise NotPossible(state=state, wanted=State.FULFILLED, why=why)
        refuse_own(redemption, actor_id, State.FULFILLED)
        _refuse_use(redemption, store_id, at)
    except NotPossible as problem:
        return problem.refused
    return None


def _refuse_use(redemption: Redemption, store_id: int | None, now: datetime) -> None:
    if redemption.state_at(now) == State.EXPIRED:
        raise NotPossible(state=State.EXPIRED, wanted=State.FULFILLED, why=Refusal.EXPIRED)
    state = State(redemption.state)
    if redemption.valid_from is not None and now < redemption.valid_from:
        raise NotPossible(
            state=state, wanted=State.FULFILLED, why=Refusal.NOT_YET_USABLE, **{"from": redemption.valid_from}
        )
    if store_id is not None:
        named = set(redemption.reward.stores.values_list("pk", flat=True))
        if named and store_id not in named:
            raise NotPossible(state=state, wanted=State.FULFILLED, why=Refusal.WRONG_STORE)


def _lock(redemption_id: int, reason: str) -> PointsEntry | None:
    """Lock the very account that was spent from and those that helped; return the entry, None for a gift.

    Also when its member was merged since: the points go back to its lots.
    """
    if not reason.strip():
        raise ReasonMissing
    spent = PointsEntry.objects.filter(redemption=redemption_id).first()
    if spent is None:
        lock_accounts([read(redemption_id).member_id])
    else:
        pools.lock_for_refund(member_id=spent.member_id, key=spent.key)
    return spent


def _refundable(redemption: Redemption, points: int | None, wanted: State) -> int:
    """Return how many points go back; raises NotPossible or posting.NotPositive."""
    state, left = State(redemption.state), redemption.points - redemption.refunded_points
    if state not in (State.CAPTURED, State.FULFILLED):
        raise NotPossible(state=state, wanted=wanted, why=Refusal.NOT_PAID if state == State.HELD else Refusal.STATE)
    if not redemption.points:
        raise NotPossible(state=state, wanted=wanted, why=Refusal.NO_POINTS)
    if points is not None:
        posting.refuse_unless_positive(points)
    if points is not None and points > left:
        raise NotPossible(state=state, wanted=wanted, why=Refusal.MORE_THAN_SPENT, left=left)
    return left if points is None else points


def _give_part(redemption: Redemption, points: int) -> Redemption:
    same = Redemption.objects.filter(
        pk=redemption.pk, state=redemption.state, refunded_points=redemption.refunded_points
    )
    if not same.update(refunded_points=redemption.refunded_points + points):
        raise NotPossible(state=State(read(redemption.pk).state), wanted=State(redemption.state))
    return read(redemption.pk)


def _take_back(
    redemption: Redemption, spent: PointsEntry | None, wanted: State, said: _Said, *, key: str, restock: bool
) -> Redemption:
    """End a redemption with all its points given back, and its piece with ``restock``."""
    left = redemption.points - redemption.refunded_points
    moved = move(redemption, wanted, cancelled_at=said.at, cancel_reason=said.reason, refunded_points=redemption.points)
    if spent is not None:
        posting.refund_spend(entry_id=spent.pk, key=key, reason=said.reason, at=said.at, by_seller=said.by_seller)
        pools.give_back(key=spent.key, at=said.at)
    if wanted == State.CANCELLED:
        record("redemption.cancelled", moved, said.actor_id, said.at, reason=said.reason)
    else:
        record("redemption.refunded", moved, said.actor_id, said.at, reason=said.reason, points=left)
    if restock:
        return_one(redemption_id=moved.pk, at=said.at)
    return moved

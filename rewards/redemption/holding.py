"""A redemption whose money is not paid yet: its points, piece and code wait; then they are used or all go back.

Points are locked first, by the ledger's own functions; only then is the redemption read.
"""

from datetime import datetime

from members.ledger import holds
from members.lib.clock import database_now
from members.lib.codes import random_code
from members.lib.transactions import retried
from members.models import PointsEntry
from rewards.codes.pool import free_again, give_reserved
from rewards.redemption.models import Redemption
from rewards.redemption.moves import NotPossible, ReasonMissing, move, read, record, refuse_own
from rewards.redemption.reasons import REDEMPTION
from rewards.redemption.redeeming import open_up, tell_redeemed
from rewards.redemption.refusals import Refusal
from rewards.redemption.states import NOT_PAID_IN_TIME, State
from rewards.stock.movements import return_one


@retried
def capture_redemption(
    *, redemption_id: int, points: int | None = None, actor_id: int | None = None, at: datetime | None = None
) -> Redemption:
    """The money is paid: use the held points, or fewer (the rest goes back), and hand the reward over, once.

    Its dates count from now. A repeat changes nothing. Raises NotPossible when it waits no more, its time is over, more
    is asked for than is held, or it is the staff member's own; posting.AccountUnderReview; posting.NotPositive.
    """
    hold_id = _hold_of(redemption_id, actor_id, State.CAPTURED)
    entry = _use_points(redemption_id, hold_id, points, at)
    redemption = read(redemption_id)
    if redemption.entry_id == entry.pk:
        return redemption
    now = entry.occurred_at
    open_up(redemption, now)
    if redemption.pool_code is not None:
        redemption.code = give_reserved(code_id=redemption.pool_code.pk, at=now)
    elif redemption.reward.behaviour.has_code:
        redemption.code = random_code()
    moved = _capture(redemption, entry)
    record("redemption.captured", moved, actor_id, now, points=moved.points)
    tell_redeemed(moved, now)
    return moved


@retried
def release_redemption(
    *,
    redemption_id: int,
    reason: str,
    actor_id: int | None = None,
    by_seller: bool = False,
    at: datetime | None = None,
) -> Redemption:
    """Nobody pays: points back into their lots, the piece into the stock, the code (nobody saw it) into the pool.

    A repeat changes nothing. ``by_seller`` gives points whose date has passed the courtesy days. Raises NotPossible
    when it was paid or is the staff member's own, or ReasonMissing.
    """
    if not reason.strip():
        raise ReasonMissing
    hold_id = _hold_of(redemption_id, actor_id, State.RELEASED)
    try:
        holds.release(hold_id=hold_id, at=at, by_seller=by_seller)
    except holds.HoldEnded as used:
        raise NotPossible(state=State(read(redemption_id).state), wanted=State.RELEASED) from used
    redemption = read(redemption_id)
    if redemption.state == State.RELEASED:
        return redemption
    now, code_id = at or database_now(), redemption.pool_code_id
    moved = move(
        redemption, State.RELEASED,
        cancelled_at=now, cancel_reason=reason, refunded_points=redemption.points, pool_code=None,
    )  # fmt: skip
    if code_id is not None:
        free_again(code_id=code_id)
    record("redemption.released", moved, actor_id, now, reason=reason)
    return_one(redemption_id=moved.pk, at=now)
    return moved


def release_ended(*, at: datetime, limit: int) -> int:
    """Release up to ``limit`` of those whose time to pay is over, each in a transaction of its own; return how many.

    One that is paid at the same moment stays as it is.
    """
    due = Redemption.objects.past_their_hold(at).order_by("held_until", "pk").values_list("pk", flat=True)[:limit]
    released = 0
    for redemption_id in list(due):
        try:
            release_redemption(redemption_id=redemption_id, reason=NOT_PAID_IN_TIME, at=at)
            released += 1
        except NotPossible:
            continue
    return released


def _hold_of(redemption_id: int, actor_id: int | None, wanted: State) -> int:
    redemption = read(redemption_id)
    refuse_own(redemption, actor_id, wanted)
    if redemption.hold_id is None:
        raise NotPossible(state=State(redemption.state), wanted=wanted)
    return redemption.hold_id


def _use_points(redemption_id: int, hold_id: int, points: int | None, at: datetime | None) -> PointsEntry:
    reward = read(redemption_id).reward
    data = {"reward": reward.pk, "names": reward.names}
    try:
        return holds.capture(hold_id=hold_id, points=points, reason=REDEMPTION, data=data, at=at)
    except holds.MoreThanHeld as more:
        raise NotPossible(state=State.HELD, wanted=State.CAPTURED, why=Refusal.MORE_THAN_HELD, held=more.held) from more
    except holds.HoldEnded as ended:
        raise NotPossible(state=State.RELEASED, wanted=State.CAPTURED, why=Refusal.HOLD_OVER) from ended


def _capture(redemption: Redemption, entry: PointsEntry) -> Redemption:
    paid = move(
        Redemption(pk=redemption.pk, state=State.HELD),
        State.CAPTURED,
        entry=entry,
        points=-entry.points,
        code=redemption.code,
        valid_from=redemption.valid_from,
        valid_until=redemption.valid_until,
    )
    if redemption.state == State.CAPTURED:
        return paid
    return move(paid, State.FULFILLED, fulfilled_at=redemption.fulfilled_at)

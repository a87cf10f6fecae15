"""The scheduled jobs that close redemptions whose date, or whose time to pay, has passed."""

from datetime import timedelta
from typing import Any

from members.jobs.schedule import Turn, scheduled
from members.lib.transactions import retried
from rewards.redemption.fulfilment import expire_chunk
from rewards.redemption.holding import release_ended

CHUNK = 100


@scheduled("redemption-expiry", every=timedelta(hours=1))
def expire_redemptions(turn: Turn) -> dict[str, Any]:
    """Expire what is past its date, in chunks by id; a killed run carries on after the last chunk."""
    as_of = turn.now()
    after: int | None = turn.cursor
    while after is not None:
        after = _chunk(turn, as_of, after)
    return {"expired": turn.done}


@scheduled("redemption-holds", every=timedelta(minutes=5))
def release_holds(turn: Turn) -> dict[str, Any]:
    """Release what was not paid in time; a killed run carries on by being run again."""
    as_of, released = turn.now(), 0
    while now_released := release_ended(at=as_of, limit=CHUNK):
        released += now_released
        turn.checkpoint(0, done=released, total=released)
    return {"released": released}


@retried
def _chunk(turn: Turn, as_of: Any, after: int) -> int | None:
    expired, last = expire_chunk(at=as_of, after_id=after)
    if last is not None:
        done = turn.done + expired
        turn.checkpoint(last, done=done, total=done)
    return last

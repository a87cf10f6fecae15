"""The scheduled job that closes redemptions whose date has passed."""

from datetime import timedelta
from typing import Any

from members.jobs.schedule import Turn, scheduled
from members.lib.transactions import retried
from rewards.redemption.fulfilment import expire_chunk


@scheduled("redemption-expiry", every=timedelta(hours=1))
def expire_redemptions(turn: Turn) -> dict[str, Any]:
    """Expire what is past its date, in chunks by id; a killed run carries on after the last chunk."""
    as_of = turn.now()
    after: int | None = turn.cursor
    while after is not None:
        after = _chunk(turn, as_of, after)
    return {"expired": turn.done}


@retried
def _chunk(turn: Turn, as_of: Any, after: int) -> int | None:
    expired, last = expire_chunk(at=as_of, after_id=after)
    if last is not None:
        done = turn.done + expired
        turn.checkpoint(last, done=done, total=done)
    return last

"""Few are left: told once each time the count falls to the reward's mark; by a job, so that no redemption pays."""

from datetime import datetime, timedelta
from typing import Any

from members.events.log import write_event
from members.jobs.schedule import Turn, scheduled
from members.lib.transactions import retried
from rewards.catalogue.models import Reward
from rewards.codes.models import Code
from rewards.stock.movements import left_of


@scheduled("low-stock", every=timedelta(minutes=5))
def low_stock_job(turn: Turn) -> dict[str, Any]:
    """Look at every reward with a mark."""
    return {"told": note_low_stock(at=turn.now())}


@retried
def note_low_stock(*, at: datetime) -> int:
    """Write ``reward.low_stock`` for each reward that has fallen to its mark since the last look; return how many.

    Once it is filled above the mark again, the next fall is told anew. With prepared codes the free codes count, with a
    stock the pieces of all places, with both the fewer.
    """
    marked = Reward.objects.filter(low_stock_at__isnull=False)
    pieces = left_of(marked.values_list("pk", flat=True))
    told = 0
    for reward in marked.order_by("pk"):
        left = _left(reward, pieces.get(reward.pk, 0))
        is_low = left is not None and left <= (reward.low_stock_at or 0)
        if is_low and reward.low_stock_since is None:
            told += _tell(reward, left or 0, at)
        elif not is_low and reward.low_stock_since is not None:
            Reward.objects.filter(pk=reward.pk).update(low_stock_since=None)
    return told


def _left(reward: Reward, pieces: int) -> int | None:
    """Return how many can still be given, None without end; codes are counted a little beyond the mark only."""
    found = []
    if not reward.is_unlimited:
        found.append(pieces)
    if reward.needs_code_pool:
        found.append(Code.objects.free(reward.pk)[: (reward.low_stock_at or 0) + 1].count())
    return min(found, default=None)


def _tell(reward: Reward, left: int, at: datetime) -> int:
    """Mark and tell it; of two jobs that look at once one does."""
    if not Reward.objects.filter(pk=reward.pk, low_stock_since=None).update(low_stock_since=at):
        return 0
    write_event(kind="reward.low_stock", member_id=None, data={"reward": reward.pk, "left": left}, occurred_at=at)
    return 1

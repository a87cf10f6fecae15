"""Expiry: the bookkeeping of lots whose end has passed. What members can spend never waits for it.

Set-based, in ranges of accounts: lock the accounts that have something due, in order; then, in a statement of its own,
zero their due lots and write one entry per account. A lot with nothing left is not due, so a killed run carries on by
being run again.
"""

import time
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Max, QuerySet, Sum

from members.jobs import wakeup
from members.jobs.schedule import Turn, scheduled
from members.ledger.expiry_sql import expire_lots
from members.ledger.models import PointsAccount, PointsLot
from members.lib.clock import database_now
from members.lib.transactions import retried

# How many account ids a range spans at first, and at most; a range takes about the given time, because purchases and
# redemptions of its members wait for it.
RANGE = 2000
MOST = 20_000
SECONDS_A_RANGE = 0.3


@dataclass(frozen=True)
class Swept:
    """What one sweep did."""

    accounts: int
    lots: int
    points: int

    def __add__(self, other: "Swept") -> "Swept":
        """Return the sum of two."""
        return Swept(self.accounts + other.accounts, self.lots + other.lots, self.points + other.points)


def expire_due(*, at: datetime | None = None, turn: Turn | None = None, member_ids: list[int] | None = None) -> Swept:
    """Expire every lot whose end is at or before ``at`` (the database's now unless given), each once.

    A lot that waits for a notice is left. With a ``turn`` it records progress and resumes there; ``member_ids`` limits
    it to these members.
    """
    at = at or database_now()
    due = _due(at) if member_ids is None else _due(at).filter(member_id__in=member_ids)
    high = due.aggregate(high=Max("account_id"))["high"]
    swept, span = Swept(0, 0, 0), RANGE
    low = _first(due, turn.cursor if turn else 0)
    while low is not None:
        begun = time.monotonic()
        swept += _expire_range(due, low, low + span, at, turn=turn, high=high)
        low = _first(due, low + span)
        span = next_span(span, time.monotonic() - begun)
    return swept


def next_span(span: int, seconds: float) -> int:
    """Return how many account ids the next range spans, after one that took so long."""
    if seconds > SECONDS_A_RANGE:
        return max(span // 2, 1)
    return min(span * 2, max(MOST, span)) if seconds < SECONDS_A_RANGE / 2 else span


def _due(at: datetime) -> QuerySet[PointsLot]:
    return PointsLot.objects.filter(remaining__gt=0, expires_at__lte=at, notice_due=False)


def _first(due: QuerySet[PointsLot], low: int) -> int | None:
    """Return the first account from ``low`` on that has something due."""
    rest = due.filter(account_id__gte=low).order_by("account_id")
    return rest.values_list("account_id", flat=True).first()


@retried
def _expire_range(
    due: QuerySet[PointsLot], low: int, below: int, at: datetime, *, turn: Turn | None, high: int
) -> Swept:
    # Locked alone and in order; the lots are read in the next statement, when nobody else can use them.
    here = due.filter(account_id__gte=low, account_id__lt=below)
    accounts = PointsAccount.objects.select_for_update(no_key=True).filter(pk__in=here.values("account_id"))
    ids = list(accounts.order_by("pk").values_list("pk", flat=True))
    swept = Swept(*expire_lots(ids, at=at, now=database_now()))
    wakeup.wake_after_commit()
    if turn is not None:
        turn.checkpoint(below, done=min(below, high), total=high)
    return swept


def waiting_for_notice(*, at: datetime) -> dict[str, int]:
    """Count the lots, and their points, whose end has passed but whose member has not been told: they live on."""
    lots = PointsLot.objects.filter(remaining__gt=0, expires_at__lte=at, notice_due=True)
    return {"lots": lots.count(), "points": lots.aggregate(points=Sum("remaining"))["points"] or 0}


@scheduled("expire-points", every=timedelta(hours=1))
def expire_points(turn: Turn) -> dict[str, Any]:
    """Expire what is due, once an hour; tell what lives on because its member could not be told."""
    return asdict(expire_due(at=turn.at, turn=turn)) | {"waiting_for_notice": waiting_for_notice(at=turn.now())}

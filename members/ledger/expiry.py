"""Expiry: the bookkeeping of lots whose end has passed. What members can spend never waits for it.

Set-based, in ranges of accounts: lock the accounts that have something due, in order; then, in statements of their own,
zero their due lots and write one entry per account. A lot with nothing left is not due, so a killed run carries on by
being run again.
"""

from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection
from django.db.models import Max, Min, QuerySet

from members.events.log import NewEvent, write_events
from members.jobs.schedule import Turn, scheduled
from members.ledger.models import LotUse, PointsAccount, PointsEntry, PointsLot
from members.lib.clock import database_now
from members.lib.transactions import retried

RANGE = 2000


@dataclass(frozen=True)
class Swept:
    """What one sweep did."""

    accounts: int
    lots: int
    points: int


def expire_due(*, at: datetime | None = None, turn: Turn | None = None, member_ids: list[int] | None = None) -> Swept:
    """Expire every lot whose end is at or before ``at`` (the database's now unless given), each once.

    With a ``turn`` it records progress and resumes there; ``member_ids`` limits it to these members.
    """
    at = at or database_now()
    bounds = PointsAccount.objects.aggregate(low=Min("pk"), high=Max("pk"))
    total = Swept(0, 0, 0)
    if bounds["low"] is None:
        return total
    low = max(bounds["low"], turn.cursor if turn else 0)
    while low <= bounds["high"]:
        swept = _expire_range(low, low + RANGE, at, turn=turn, high=bounds["high"], member_ids=member_ids)
        total = Swept(total.accounts + swept.accounts, total.lots + swept.lots, total.points + swept.points)
        low += RANGE
    return total


@retried
def _expire_range(
    low: int, below: int, at: datetime, *, turn: Turn | None, high: int, member_ids: list[int] | None
) -> Swept:
    due = _due(at).filter(account_id__gte=low, account_id__lt=below)
    if member_ids is not None:
        due = due.filter(member_id__in=member_ids)
    account_ids = sorted(set(due.values_list("account_id", flat=True)))
    swept = _expire_accounts(account_ids, at) if account_ids else Swept(0, 0, 0)
    if turn is not None:
        turn.checkpoint(below, done=min(below, high), total=high)
    return swept


def _due(at: datetime) -> QuerySet[PointsLot]:
    return PointsLot.objects.filter(remaining__gt=0, expires_at__lte=at, notice_due=False)


def _expire_accounts(account_ids: list[int], at: datetime) -> Swept:
    # Locked alone and in order; the lots are read in the next statement, when nobody else can use them.
    accounts = PointsAccount.objects.select_for_update(no_key=True).filter(pk__in=account_ids).order_by("pk")
    locked = {account.pk: account for account in accounts}
    lots = list(_due(at).filter(account_id__in=locked).order_by("pk"))
    by_account: dict[int, list[PointsLot]] = {}
    for lot in lots:
        by_account.setdefault(lot.account_id, []).append(lot)
    now = database_now()
    entries = [_entry(locked[account_id], due, at, now) for account_id, due in by_account.items()]
    PointsEntry.objects.bulk_create(entries)
    LotUse.objects.bulk_create(
        LotUse(entry=entry, lot=lot, points=lot.remaining) for entry in entries for lot in by_account[entry.account_id]
    )
    PointsLot.objects.filter(pk__in=[lot.pk for lot in lots]).update(remaining=0)
    _lower_balances(entries)
    write_events([_event(entry) for entry in entries])
    return Swept(len(entries), len(lots), -sum(entry.points for entry in entries))


def _entry(account: PointsAccount, lots: list[PointsLot], at: datetime, now: datetime) -> PointsEntry:
    # Put-back points can expire in the same lot once more: the entry's key is the instant of this sweep.
    return PointsEntry(
        account_id=account.pk,
        member_id=account.member_id,
        kind=PointsEntry.Kind.EXPIRE,
        contra=PointsEntry.Contra.EXPIRED,
        points=-sum(lot.remaining for lot in lots),
        key=f"expire:{account.pk}:{now.timestamp():.6f}",
        breakdown={
            "lots": len(lots),
            "first_end": min(lot.expires_at for lot in lots if lot.expires_at).isoformat(),
        },
        occurred_at=at,
        recorded_at=now,
    )


def _lower_balances(entries: list[PointsEntry]) -> None:
    with connection.cursor() as cursor:
        cursor.executemany(
            "UPDATE members_pointsaccount SET balance = balance + %s WHERE id = %s",
            [(entry.points, entry.account_id) for entry in entries],
        )


def _event(entry: PointsEntry) -> NewEvent:
    data = {"entry": entry.pk, "points": entry.points}
    return NewEvent(kind="points.expired", member_id=entry.member_id, data=data, occurred_at=entry.occurred_at)


@scheduled("expire-points", every=timedelta(hours=1))
def expire_points(turn: Turn) -> dict[str, Any]:
    """Expire what is due, once an hour."""
    return asdict(expire_due(turn=turn))

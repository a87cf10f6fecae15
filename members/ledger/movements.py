"""Movements: the rows that every posting is made of. Whoever calls these holds the lock of the account.

Entry, lots, uses of lots and the cached balance change here and nowhere else (with ``awarding`` and ``expiry``).
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db.models import F, Q, QuerySet

from members.ledger.models import LotChange, LotUse, PointsAccount, PointsEntry, PointsLot
from members.lib import periods
from members.lib.clock import database_now
from members.programme.models import Programme

Kind = PointsEntry.Kind
Contra = PointsEntry.Contra

# Lots with the points of each that a movement takes or gives back.
Shares = list[tuple[PointsLot, int]]

SPEND_ORDER = (F("expires_at").asc(nulls_last=True), F("available_from").asc(nulls_last=True), "pk")
_SPEND_ORDER_OF_USES = (F("lot__expires_at").asc(nulls_last=True), F("lot__available_from").asc(nulls_last=True), "lot")
_FAR = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True)
class Movement:
    """What an entry says, apart from the account it is for; ``recorded_at`` None reads the clock."""

    kind: Kind
    contra: Contra
    points: int
    key: str
    reason: str
    breakdown: dict[str, Any]
    at: datetime
    purchase_id: int | None = None
    related_id: int | None = None
    actor_id: int | None = None
    recorded_at: datetime | None = None


def lock_accounts(account_ids: Iterable[int]) -> dict[int, PointsAccount]:
    """Lock several accounts in the order of their ids, in one statement, and return them by id."""
    accounts = PointsAccount.objects.select_for_update(no_key=True).filter(pk__in=set(account_ids))
    return {account.pk: account for account in accounts.order_by("pk")}


def lock_with_survivor(account_id: int) -> tuple[PointsAccount, PointsAccount]:
    """Lock an account and the one its points come back to: after a merge the survivor's, else itself."""
    home = home_of(account_id)
    locked = lock_accounts({account_id, home})
    merged = home_of(account_id)
    if merged != home:
        # Merged while we waited for the lock; from now on nobody can merge it.
        locked |= lock_accounts({merged})
    return locked[account_id], locked[merged]


def home_of(account_id: int) -> int:
    """Return the account that points of this one come back to: the same type of the member it was merged into."""
    facts = PointsAccount.objects.values_list("member__merged_into", "point_type").get(pk=account_id)
    if facts[0] is None:
        return account_id
    return PointsAccount.objects.values_list("pk", flat=True).get(member_id=facts[0], point_type=facts[1])


def spendable_lots(account_id: int, at: datetime) -> list[PointsLot]:
    """Return the lots that can be spent at an instant, in spend order: the earliest end first, never-ending last."""
    alive = Q(expires_at=None) | Q(expires_at__gt=at) | Q(notice_due=True)
    return list(filled_lots(account_id).filter(alive, available_from__lte=at))


def filled_lots(account_id: int) -> QuerySet[PointsLot]:
    """Return the lots that hold something, pending and past ones too, in spend order."""
    return PointsLot.objects.filter(account_id=account_id, remaining__gt=0).order_by(*SPEND_ORDER)


def spend_place(lot: PointsLot) -> tuple[datetime, datetime, int]:
    """Return what sorts lots in memory as SPEND_ORDER does."""
    return lot.expires_at or _FAR, lot.available_from or _FAR, lot.pk


def is_over(lot: PointsLot, at: datetime) -> bool:
    """Tell whether the lot has ended at an instant; the sweep may not have written it yet."""
    return lot.expires_at is not None and lot.expires_at <= at and not lot.notice_due


def first_entries(lots: Collection[PointsLot]) -> dict[int, int]:
    """Return by lot the entry that first gave its points, however often merges and transfers moved them.

    No read for lots that never moved, one for each move.
    """
    given = {lot.pk: lot.entry_id for lot in lots}
    moved = {lot.pk: lot.moved_from_id for lot in lots if lot.moved_from_id is not None}
    while moved:
        rows = PointsLot.objects.filter(pk__in=set(moved.values())).values_list("pk", "entry_id", "moved_from_id")
        before = {pk: (entry_id, moved_from_id) for pk, entry_id, moved_from_id in rows}
        given |= {pk: before[origin][0] for pk, origin in moved.items()}
        moved = {pk: earlier for pk, origin in moved.items() if (earlier := before[origin][1]) is not None}
    return given


def share(lots: Iterable[PointsLot], points: int) -> Shares:
    """Share the points out over the lots in their order; less when they do not hold enough."""
    return share_parts(((lot, lot.remaining) for lot in lots), points)


def share_parts(parts: Iterable[tuple[PointsLot, int]], points: int) -> Shares:
    """Share the points out over parts of lots in their order; less when the parts do not hold enough."""
    takes = []
    for lot, most in parts:
        take = min(most, points)
        if take:
            takes.append((lot, take))
            points -= take
    return takes


def total(shares: Shares) -> int:
    """Return the points of all shares."""
    return sum(points for _lot, points in shares)


def shares_of(entry: PointsEntry) -> Shares:
    """Return what an entry took from which lots, in spend order."""
    uses = LotUse.objects.filter(entry=entry, points__gt=0).select_related("lot").order_by(*_SPEND_ORDER_OF_USES)
    return [(use.lot, use.points) for use in uses]


def insert(account: PointsAccount, movement: Movement) -> PointsEntry:
    """Write the entry alone."""
    return PointsEntry.objects.create(
        account_id=account.pk,
        member_id=account.member_id,
        kind=movement.kind,
        contra=movement.contra,
        point_type=account.point_type,
        points=movement.points,
        key=movement.key,
        purchase_id=movement.purchase_id,
        related_id=movement.related_id,
        reason=movement.reason,
        breakdown=movement.breakdown,
        actor_id=movement.actor_id,
        occurred_at=movement.at,
        recorded_at=movement.recorded_at or database_now(),
    )


def credit(account: PointsAccount, movement: Movement, lots: Sequence[PointsLot]) -> PointsEntry:
    """Write a credit: the entry, its new lots (unsaved, with points and dates), and first of all a debt's payment."""
    entry = insert(account, movement)
    owed = account.debt
    for lot in lots:
        paid = min(owed, lot.granted)
        owed -= paid
        lot.entry, lot.account_id, lot.member_id = entry, account.pk, account.member_id
        lot.remaining = lot.granted - paid
    PointsLot.objects.bulk_create(lots)
    LotUse.objects.bulk_create(
        LotUse(entry=entry, lot=lot, points=lot.granted - lot.remaining) for lot in lots if lot.remaining < lot.granted
    )
    move(account, points=movement.points, debt=owed - account.debt)
    return entry


def debit(account: PointsAccount, movement: Movement, takes: Shares, *, debt: int = 0) -> PointsEntry:
    """Write a debit: the entry, what it takes from which lots, and what becomes a debt (told in the breakdown)."""
    entry = insert(account, movement)
    _take(entry, takes)
    move(account, points=movement.points, debt=debt)
    return entry


def give_back(account: PointsAccount, movement: Movement, shares: Shares, *, by_seller: bool = False) -> PointsEntry:
    """Write a credit that puts points back where they came from, with their age; a debt is paid first.

    Points whose date has passed expire with the next sweep, unless we cancelled (``by_seller``): then they stay usable
    for the programme's courtesy days. Into the account of a survivor they go as new lots with the old dates.
    """
    if any(lot.account_id != account.pk for lot, _points in shares):
        return credit(account, movement, [_moved(lot, points, movement.at, by_seller) for lot, points in shares])
    entry = insert(account, movement)
    for lot, points in shares:
        _put_back(entry, lot, points, end=_end_after(lot, movement.at, by_seller=by_seller))
    move(account, points=movement.points)
    _pay_debt_from_lots(account, entry)
    return entry


def move(account: PointsAccount, *, points: int, debt: int = 0) -> None:
    """Change the cached balance and the debt, of the row and of the object in hand."""
    if points or debt:
        PointsAccount.objects.filter(pk=account.pk).update(balance=F("balance") + points, debt=F("debt") + debt)
        account.balance += points
        account.debt += debt


def moved_lot(lot: PointsLot, points: int) -> PointsLot:
    """Return an unsaved lot for another account with points of this one: its dates are kept."""
    return PointsLot(
        granted=points,
        available_from=lot.available_from,
        expires_at=lot.expires_at,
        notice_due=lot.notice_due,
        has_own_end=lot.has_own_end,
        moved_from_id=lot.pk,
    )


def _moved(lot: PointsLot, points: int, now: datetime, by_seller: bool) -> PointsLot:
    moved = moved_lot(lot, points)
    moved.expires_at = _end_after(lot, now, by_seller=by_seller)
    return moved


def _end_after(lot: PointsLot, now: datetime, *, by_seller: bool) -> datetime | None:
    """Return the end of points that come back now: the old one, or the courtesy's when we cancelled too late."""
    if lot.expires_at is None or lot.expires_at > now or lot.notice_due or not by_seller:
        return lot.expires_at
    programme = Programme.current()
    last_day = periods.local_day(now, programme.tz) + timedelta(days=programme.courtesy_days)
    return periods.start_of_day(last_day + timedelta(days=1), programme.tz)


def _put_back(entry: PointsEntry, lot: PointsLot, points: int, *, end: datetime | None) -> None:
    PointsLot.objects.filter(pk=lot.pk).update(remaining=F("remaining") + points, expires_at=end)
    LotUse.objects.create(entry=entry, lot=lot, points=-points)
    if end != lot.expires_at:
        LotChange.objects.create(
            lot=lot,
            member_id=lot.member_id,
            why=LotChange.Why.COURTESY,
            at=entry.occurred_at,
            recorded_at=entry.recorded_at,
            old_available_from=lot.available_from,
            new_available_from=lot.available_from,
            old_expires_at=lot.expires_at,
            new_expires_at=end,
            old_notice_due=lot.notice_due,
            new_notice_due=lot.notice_due,
        )


def _pay_debt_from_lots(account: PointsAccount, entry: PointsEntry) -> None:
    """With a debt no lot keeps a remainder: points that come back pay it first."""
    if account.debt:
        takes = share(filled_lots(account.pk), account.debt)
        _take(entry, takes)
        move(account, points=0, debt=-total(takes))


def _take(entry: PointsEntry, takes: Shares) -> None:
    for lot, taken in takes:
        PointsLot.objects.filter(pk=lot.pk).update(remaining=F("remaining") - taken)
    LotUse.objects.bulk_create(LotUse(entry=entry, lot=lot, points=taken) for lot, taken in takes)

"""Posting: the only writers of entries, lots and balances (with ``awarding`` and ``expiry`` beside it).

Every function that decides an amount locks the account in a statement of its own and reads afterwards: locking and
summing in one SELECT decides on figures from before the lock.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from django.db.models import F, Q

from members.events.audit_log import write_audit
from members.events.log import write_event
from members.ledger.models import LotUse, PointsAccount, PointsEntry, PointsLot, PointType
from members.lib import periods
from members.lib.clock import database_now
from members.lib.transactions import retried
from members.programme.models import Programme

Kind = PointsEntry.Kind
Contra = PointsEntry.Contra


class InsufficientPoints(Exception):
    """The member has fewer spendable points than asked for."""

    def __init__(self, *, spendable: int, asked: int) -> None:
        super().__init__(f"{asked - spendable} points missing")
        self.spendable = spendable
        self.missing = asked - spendable


class NotPositive(Exception):
    """An amount of points must be a whole number above zero."""


class UnknownEntry(Exception):
    """There is no such entry to reverse."""


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


def open_accounts(member_ids: Iterable[int]) -> None:
    """Open the points accounts of new members; harmless for those that have one."""
    rows = [PointsAccount(member_id=member_id, point_type=kind) for member_id in member_ids for kind in PointType]
    PointsAccount.objects.bulk_create(rows, ignore_conflicts=True)


def lock_account(member_id: int, point_type: PointType = PointType.SPENDABLE) -> PointsAccount:
    """Lock the member's points account until the end of the transaction and return it as it is now.

    Inserting rows that point at the account does not wait for this lock. Raises PointsAccount.DoesNotExist.
    """
    return PointsAccount.objects.select_for_update(no_key=True).get(member_id=member_id, point_type=point_type)


@retried
def grant(
    *,
    member_id: int,
    points: int,
    key: str,
    reason: str,
    data: dict[str, Any] | None = None,
    at: datetime | None = None,
    expires_at: datetime | None = None,
) -> PointsEntry:
    """Give points as a gift, once per key; a repeat returns the first entry.

    They expire by the programme's policy unless ``expires_at`` says otherwise. Raises NotPositive.
    """
    _refuse_unless_positive(points)
    account = lock_account(member_id)
    posted = _posted(key)
    if posted is not None:
        return posted
    now = at or database_now()
    movement = Movement(Kind.GRANT, Contra.ISSUED, points, key, reason, data or {}, now)
    entry = _credit(account, movement, expires_at=expires_at or Programme.current().expiry_of(now))
    write_event(
        kind="points.granted",
        member_id=member_id,
        data={"entry": entry.pk, "points": points},
        occurred_at=now,
    )
    return entry


@retried
def spend(
    *,
    member_id: int,
    points: int,
    key: str,
    reason: str,
    data: dict[str, Any] | None = None,
    at: datetime | None = None,
) -> PointsEntry:
    """Take points from the lots that expire first, once per key; a repeat returns the first entry.

    The caller writes the event that says what for. Raises InsufficientPoints (nothing is taken) or NotPositive.
    """
    _refuse_unless_positive(points)
    account = lock_account(member_id)
    posted = _posted(key)
    if posted is not None:
        return posted
    now = at or database_now()
    lots = list(PointsLot.objects.filter(_spendable(account.pk, now)).order_by(*SPEND_ORDER))
    takes = _share(lots, points)
    taken = sum(taken for _lot, taken in takes)
    if taken < points:
        raise InsufficientPoints(spendable=taken, asked=points)
    return _debit(account, Movement(Kind.REDEEM, Contra.REDEEMED, -points, key, reason, data or {}, now), takes)


@retried
def refund_spend(
    *, entry_id: int, key: str, reason: str, at: datetime | None = None, by_seller: bool = False
) -> PointsEntry:
    """Put the points of a redemption back into the lots they came from, once per key and once per redemption.

    Points keep their age. Where the date has passed they expire with the next sweep, unless we cancelled
    (``by_seller``): then they stay usable for the programme's courtesy days. Raises UnknownEntry.
    """
    spent = PointsEntry.objects.filter(pk=entry_id, kind=Kind.REDEEM).first()
    if spent is None:
        raise UnknownEntry(entry_id)
    account = lock_account(spent.member_id)
    refunded = PointsEntry.objects.filter(kind=Kind.REFUND, related_id=entry_id, member_id=spent.member_id).first()
    if refunded is not None:
        return refunded
    now = at or database_now()
    movement = Movement(Kind.REFUND, Contra.REDEEMED, -spent.points, key, reason, {}, now, related_id=spent.pk)
    entry = _insert(account, movement)
    _put_back(entry, LotUse.objects.filter(entry=spent).select_related("lot"), now, by_seller=by_seller)
    _move(account, points=entry.points)
    _pay_debt_from_lots(account, entry)
    return entry


@retried
def take_back(
    *,
    member_id: int,
    points: int,
    key: str,
    reason: str,
    data: dict[str, Any] | None = None,
    at: datetime | None = None,
    first_from_entry: int | None = None,
) -> PointsEntry:
    """Take back points that should not stay, once per key, first from the lot they were given in.

    Pending points go before spendable ones. What the balance cannot cover becomes a recorded shortfall or a visible
    debt, as the programme says. Raises NotPositive.
    """
    _refuse_unless_positive(points)
    account = lock_account(member_id)
    posted = _posted(key)
    if posted is not None:
        return posted
    now = database_now()
    asked = Movement(Kind.TAKE_BACK, Contra.REVERSED, -points, key, reason, data or {}, at or now, recorded_at=now)
    return _take_what_there_is(account, asked, now=now, first_from_entry=first_from_entry)


def _take_what_there_is(
    account: PointsAccount, asked: Movement, *, now: datetime, first_from_entry: int | None = None
) -> PointsEntry:
    points = -asked.points
    takes = _share(_lots_to_take_back(account.pk, first_from_entry, now), points)
    missing = points - sum(taken for _lot, taken in takes)
    as_debt = missing if Programme.current().debt_policy == Programme.DebtPolicy.DEBT else 0
    breakdown = dict(asked.breakdown, asked=points, shortfall=missing - as_debt, debt=as_debt)
    movement = replace(asked, points=-(points - missing + as_debt), breakdown=breakdown)
    return _debit(account, movement, takes, debt=as_debt)


@retried
def adjust(
    *, member_id: int, points: int, key: str, reason: str, actor_id: int, at: datetime | None = None
) -> PointsEntry:
    """Correct a balance by a new entry, once per key, with an audit row; the caller has checked who may.

    A negative correction takes spendable points by the usual order. Raises InsufficientPoints or NotPositive (for 0).
    """
    if points == 0:
        raise NotPositive
    account = lock_account(member_id)
    posted = _posted(key)
    if posted is not None:
        return posted
    now = at or database_now()
    movement = Movement(Kind.ADJUST, Contra.ADJUSTED, points, key, reason, {}, now, actor_id=actor_id)
    entry = (
        _credit(account, movement, expires_at=Programme.current().expiry_of(now))
        if points > 0
        else (_take_spendable(account, movement))
    )
    data = {"entry": entry.pk, "points": points}
    write_event(kind="points.adjusted", member_id=member_id, data=data, occurred_at=now)
    write_audit(actor_id=actor_id, action="points.adjusted", target=f"entry {entry.pk}", reason=reason, data=data)
    return entry


SPEND_ORDER = (F("expires_at").asc(nulls_last=True), "available_from", "pk")


def _spendable(account_id: int, at: datetime) -> Q:
    alive = Q(expires_at=None) | Q(expires_at__gt=at) | Q(notice_due=True)
    return Q(account_id=account_id, remaining__gt=0, available_from__lte=at) & alive


def _lots_to_take_back(account_id: int, first_from_entry: int | None, now: datetime) -> list[PointsLot]:
    lots = list(PointsLot.objects.filter(account_id=account_id, remaining__gt=0).order_by(*SPEND_ORDER))
    return sorted(
        lots,
        key=lambda lot: (
            lot.entry_id != first_from_entry,
            lot.available_from is not None and lot.available_from <= now,
        ),
    )


def _share(lots: Iterable[PointsLot], points: int) -> list[tuple[PointsLot, int]]:
    """Share the points out over the lots in their order; less when they do not hold enough."""
    takes = []
    for lot in lots:
        take = min(lot.remaining, points)
        if take:
            takes.append((lot, take))
            points -= take
    return takes


def _take_spendable(account: PointsAccount, movement: Movement) -> PointsEntry:
    lots = list(PointsLot.objects.filter(_spendable(account.pk, movement.at)).order_by(*SPEND_ORDER))
    takes = _share(lots, -movement.points)
    taken = sum(taken for _lot, taken in takes)
    if taken < -movement.points:
        raise InsufficientPoints(spendable=taken, asked=-movement.points)
    return _debit(account, movement, takes)


def _refuse_unless_positive(points: int) -> None:
    if points <= 0:
        raise NotPositive(points)


def _posted(key: str) -> PointsEntry | None:
    return PointsEntry.objects.filter(key=key).first()


def _insert(account: PointsAccount, movement: Movement) -> PointsEntry:
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


def _credit(account: PointsAccount, movement: Movement, *, expires_at: datetime | None) -> PointsEntry:
    """Write a credit: the entry, its lot, and first of all the payment of a debt."""
    entry = _insert(account, movement)
    paid = min(account.debt, movement.points)
    lot = PointsLot.objects.create(
        entry=entry,
        account_id=account.pk,
        member_id=account.member_id,
        granted=movement.points,
        remaining=movement.points - paid,
        available_from=movement.at,
        expires_at=expires_at,
    )
    if paid:
        LotUse.objects.create(entry=entry, lot=lot, points=paid)
    _move(account, points=movement.points, debt=-paid)
    return entry


def _debit(
    account: PointsAccount, movement: Movement, takes: list[tuple[PointsLot, int]], *, debt: int = 0
) -> PointsEntry:
    entry = _insert(account, movement)
    for lot, taken in takes:
        PointsLot.objects.filter(pk=lot.pk).update(remaining=F("remaining") - taken)
    LotUse.objects.bulk_create(LotUse(entry=entry, lot=lot, points=taken) for lot, taken in takes)
    _move(account, points=movement.points, debt=debt)
    return entry


def _move(account: PointsAccount, *, points: int, debt: int = 0) -> None:
    if points or debt:
        PointsAccount.objects.filter(pk=account.pk).update(balance=F("balance") + points, debt=F("debt") + debt)


def _put_back(entry: PointsEntry, uses: Iterable[LotUse], now: datetime, *, by_seller: bool) -> None:
    programme = Programme.current()
    courtesy_end = periods.start_of_day(
        periods.local_day(now, programme.tz) + timedelta(days=programme.courtesy_days + 1), programme.tz
    )
    for use in uses:
        passed = use.lot.expires_at is not None and use.lot.expires_at <= now
        end = courtesy_end if passed and by_seller else use.lot.expires_at
        PointsLot.objects.filter(pk=use.lot_id).update(remaining=F("remaining") + use.points, expires_at=end)
        LotUse.objects.create(entry=entry, lot_id=use.lot_id, points=-use.points)


def _pay_debt_from_lots(account: PointsAccount, entry: PointsEntry) -> None:
    """With a debt no lot keeps a remainder: points that come back pay it first."""
    if not account.debt:
        return
    lots = PointsLot.objects.filter(account_id=account.pk, remaining__gt=0).order_by(*SPEND_ORDER)
    takes = _share(lots, account.debt)
    for lot, taken in takes:
        PointsLot.objects.filter(pk=lot.pk).update(remaining=F("remaining") - taken)
    LotUse.objects.bulk_create(LotUse(entry=entry, lot=lot, points=taken) for lot, taken in takes)
    _move(account, points=0, debt=-sum(taken for _lot, taken in takes))

"""Points that go from one member to another and keep their dates: two entries that pair to zero."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from members.events.log import NewEvent, write_events
from members.ledger import posting
from members.ledger.models import LotUse, PointsAccount, PointsEntry, PointsLot, PointType
from members.ledger.posting import _debit, _insert, _move, _share, _spendable
from members.lib.clock import database_now
from members.lib.transactions import retried

Kind = PointsEntry.Kind
Contra = PointsEntry.Contra


class SameMember(Exception):
    """Points do not go from a member to itself."""


@dataclass(frozen=True)
class _Sides:
    """The two accounts of a transfer, locked."""

    giver: PointsAccount
    taker: PointsAccount


@retried
def transfer(
    *,
    from_member_id: int,
    to_member_id: int,
    points: int,
    key: str,
    reason: str,
    data: dict[str, Any] | None = None,
    at: datetime | None = None,
) -> PointsEntry:
    """Move spendable points, soonest end first, once per key; returns the entry of the one who gives.

    Raises SameMember, posting.NotPositive or posting.InsufficientPoints.
    """
    if points <= 0:
        raise posting.NotPositive(points)
    sides = _lock(from_member_id, to_member_id, PointType.SPENDABLE)
    posted = PointsEntry.objects.filter(key=f"{key}:out").first()
    if posted is not None:
        return posted
    now = at or database_now()
    takes = _takes(sides.giver, points, now)
    return _post(sides, takes, key=key, reason=reason, data=data or {}, at=now)


@retried
def transfer_everything(*, from_member_id: int, to_member_id: int, key: str, reason: str, at: datetime) -> None:
    """Move all lots of both point types, pending ones too; a member without points is left alone."""
    for point_type in PointType:
        sides = _lock(from_member_id, to_member_id, point_type)
        lots = PointsLot.objects.filter(account=sides.giver, remaining__gt=0).order_by(*posting.SPEND_ORDER)
        takes = [(lot, lot.remaining) for lot in lots]
        if takes:
            _post(sides, takes, key=f"{key}:{point_type.lower()}", reason=reason, data={}, at=at)


def _takes(account: PointsAccount, points: int, at: datetime) -> list[tuple[PointsLot, int]]:
    lots = PointsLot.objects.filter(_spendable(account.pk, at)).order_by(*posting.SPEND_ORDER)
    takes = _share(lots, points)
    taken = sum(taken for _lot, taken in takes)
    if taken < points:
        raise posting.InsufficientPoints(spendable=taken, asked=points)
    return takes


def _lock(giver_id: int, taker_id: int, point_type: PointType) -> _Sides:
    if giver_id == taker_id:
        raise SameMember(giver_id)
    both = PointsAccount.objects.select_for_update(no_key=True).filter(
        member__in=[giver_id, taker_id], point_type=point_type
    )
    found = {account.member_id: account for account in both.order_by("pk")}
    return _Sides(found[giver_id], found[taker_id])


def _post(
    sides: _Sides,
    takes: Sequence[tuple[PointsLot, int]],
    *,
    key: str,
    reason: str,
    data: dict[str, Any],
    at: datetime,
) -> PointsEntry:
    points = sum(taken for _lot, taken in takes)
    out = _debit(
        sides.giver,
        posting.Movement(
            Kind.TRANSFER, Contra.TRANSFERRED, -points, f"{key}:out", reason, data | {"to": sides.taker.member_id}, at
        ),
        list(takes),
    )
    brought = posting.Movement(
        Kind.TRANSFER,
        Contra.TRANSFERRED,
        points,
        f"{key}:in",
        reason,
        data | {"from": sides.giver.member_id},
        at,
        related_id=out.pk,
    )
    _credit_lots(sides.taker, brought, takes)
    news = [(sides.giver.member_id, out.pk, -points), (sides.taker.member_id, out.pk, points)]
    write_events(
        [
            NewEvent("points.transferred", member_id, {"entry": entry_id, "points": moved}, at)
            for member_id, entry_id, moved in news
        ]
    )
    return out


def _credit_lots(
    account: PointsAccount, movement: posting.Movement, takes: Sequence[tuple[PointsLot, int]]
) -> PointsEntry:
    entry = _insert(account, movement)
    lots = PointsLot.objects.bulk_create(
        PointsLot(
            entry=entry,
            account_id=account.pk,
            member_id=account.member_id,
            granted=taken,
            remaining=taken,
            available_from=lot.available_from,
            expires_at=lot.expires_at,
            notice_due=lot.notice_due,
            moved_from_id=lot.pk,
        )
        for lot, taken in takes
    )
    owed = account.debt
    for lot in lots:
        paid = min(owed, lot.remaining)
        if paid:
            PointsLot.objects.filter(pk=lot.pk).update(remaining=lot.remaining - paid)
            LotUse.objects.create(entry=entry, lot=lot, points=paid)
        owed -= paid
    _move(account, points=movement.points, debt=owed - account.debt)
    return entry

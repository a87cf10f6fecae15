"""Transfers: points that change their member and keep their dates, so that no transfer makes a point live longer.

Each is a pair of entries against ``transferred`` that sums to zero; the second names the first.
"""

from dataclasses import replace
from datetime import datetime
from typing import Any

from members.events.log import write_event
from members.ledger.ended_holds import put_ended_back
from members.ledger.models import PointsAccount, PointsEntry, PointsLot, PointType
from members.ledger.movements import (
    Contra,
    Kind,
    Movement,
    Shares,
    credit,
    debit,
    filled_lots,
    lock_accounts,
    moved_lot,
    share,
    total,
)
from members.ledger.posting import choose_spendable, posted_with, refuse_under_review, refuse_unless_positive
from members.lib.clock import database_now
from members.lib.transactions import retried


class SameMember(Exception):
    """Points move between two members."""


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
    """Give spendable points to another member, once per key; a repeat returns the first entry, the giver's.

    Never pending or past points; those that end first go first and keep their dates. A debt of the receiver is paid
    first. Raises SameMember, posting.NotPositive, posting.InsufficientPoints, or posting.AccountUnderReview when one
    of the two accounts is blocked.
    """
    refuse_unless_positive(points)
    giver, receiver = _lock_both(from_member_id, to_member_id, PointType.SPENDABLE)
    posted = posted_with(key)
    if posted is not None:
        return posted
    refuse_under_review(giver, receiver)
    now = at or database_now()
    out = Movement(Kind.TRANSFER, Contra.TRANSFERRED, -points, key, reason, data or {}, now, recorded_at=database_now())
    given = _carry_over(giver, receiver, out, choose_spendable(giver, points, now))
    told = {"entry": given.pk, "points": points}
    write_event(kind="points.transferred", member_id=from_member_id, data=told, occurred_at=now)
    write_event(kind="points.received", member_id=to_member_id, data=told, occurred_at=now)
    return given


@retried
def transfer_everything(
    *, from_member_id: int, to_member_id: int, key: str, reason: str, at: datetime | None = None
) -> list[PointsEntry]:
    """Move all that a member has to another, for a merge: every lot of both point types, pending too, and the debt.

    Once per key; a repeat returns the first entries. Open holds stay: when they are released, or when points are
    refunded later, ``merged_into`` leads the points to the survivor. Raises SameMember or posting.AccountUnderReview.
    """
    pairs = [_lock_both(from_member_id, to_member_id, point_type) for point_type in PointType]
    posted = PointsEntry.objects.filter(key__in=[f"{key}:{name}" for name in _PARTS]).order_by("pk")
    if posted:
        return list(posted)
    refuse_under_review(*pairs[0])
    out = Movement(
        Kind.TRANSFER, Contra.TRANSFERRED, 0, key, reason, {}, at or database_now(), recorded_at=database_now()
    )
    put_ended_back(pairs[0][0], at=out.at)
    moved = []
    for loser, survivor in pairs:
        shares = [(lot, lot.remaining) for lot in filled_lots(loser.pk)]
        if shares:
            named = replace(out, points=-total(shares), key=f"{key}:{loser.point_type}")
            moved.append(_carry_over(loser, survivor, named, shares))
        if loser.debt:
            moved.append(_carry_debt(loser, survivor, replace(out, points=-loser.debt, key=f"{key}:DEBT")))
    return moved


_PARTS = (*PointType.values, "DEBT")


def _lock_both(from_member_id: int, to_member_id: int, point_type: PointType) -> tuple[PointsAccount, PointsAccount]:
    """Lock both accounts in the order of their ids. Raises SameMember or PointsAccount.DoesNotExist."""
    members = [from_member_id, to_member_id]
    accounts = PointsAccount.objects.filter(member__in=members, point_type=point_type)
    ids = dict(accounts.values_list("member", "pk"))
    if from_member_id == to_member_id:
        raise SameMember(from_member_id)
    missing = set(members) - ids.keys()
    if missing:
        raise PointsAccount.DoesNotExist(missing)
    locked = lock_accounts(ids.values())
    return locked[ids[from_member_id]], locked[ids[to_member_id]]


def _carry_over(giver: PointsAccount, receiver: PointsAccount, out: Movement, shares: Shares) -> PointsEntry:
    given = debit(giver, out, shares)
    credit(receiver, _answer(out, given), [moved_lot(lot, points) for lot, points in shares])
    return given


def _carry_debt(loser: PointsAccount, survivor: PointsAccount, out: Movement) -> PointsEntry:
    """Let the survivor take over what the loser owes, and pay it from what there is."""
    owed = -out.points
    takes = share(filled_lots(survivor.pk), owed)
    as_debt = owed - total(takes)
    taken = debit(survivor, replace(out, breakdown={"debt": as_debt}), takes, debt=as_debt)
    # The loser's credit is used up by the debt that it pays.
    credit(loser, _answer(out, taken), [PointsLot(granted=owed, available_from=out.at, expires_at=out.at)])
    return taken


def _answer(out: Movement, first: PointsEntry) -> Movement:
    return replace(out, points=-out.points, key=f"{out.key}:to", related_id=first.pk)

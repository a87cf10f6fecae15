"""Time travel: what a member had at an instant of the past, told from rows that nobody changes.

The past is what was recorded by then: an entry counts from ``recorded_at`` on, whatever day it speaks of, a use of a
lot from that of its entry, and a lot has the dates that it had before the first change recorded later. So the answer
for an instant never changes: it is what the page showed then. Pending and past are judged by that instant.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Sum

from members.ledger.models import LotChange, LotUse, PointsEntry, PointsLot, PointType
from members.ledger.statements import Balance, LotState, balance_from


@dataclass(frozen=True)
class LotThen:
    """A lot as it was: points granted and left, and its dates."""

    lot_id: int
    granted: int
    state: LotState


def balance_at(member_id: int, at: datetime) -> Balance:
    """Return what the member could spend at ``at``, what was pending and owed, by what was recorded until then."""
    lots = [lot.state for lot in lots_at(member_id, at)]
    entries = PointsEntry.objects.filter(member_id=member_id, point_type=PointType.SPENDABLE, recorded_at__lte=at)
    balance = entries.aggregate(points=Sum("points"))["points"] or 0
    # By the law of the books: balance = what is left in lots − debt.
    debt = sum(lot.remaining for lot in lots) - balance
    return balance_from(lots, debt, at)


def lots_at(member_id: int, at: datetime, point_type: PointType = PointType.SPENDABLE) -> list[LotThen]:
    """Return the member's lots as recorded at ``at``, those with something left, in the order in which they came."""
    lots = PointsLot.objects.filter(
        member_id=member_id, account__point_type=point_type, entry__recorded_at__lte=at
    ).order_by("pk")
    used = LotUse.objects.filter(
        lot__member_id=member_id, lot__account__point_type=point_type, entry__recorded_at__lte=at
    )
    uses = dict(used.values_list("lot").annotate(points=Sum("points")))
    later = _first_changes(LotChange.objects.filter(member_id=member_id, recorded_at__gt=at).order_by("pk"))
    then = [_then(lot, lot.granted - uses.get(lot.pk, 0), later.get(lot.pk)) for lot in lots]
    return [lot for lot in then if lot.state.remaining]


def _first_changes(changes: Iterable[LotChange]) -> dict[int, LotChange]:
    first: dict[int, LotChange] = {}
    for change in changes:
        first.setdefault(change.lot_id, change)
    return first


def _then(lot: PointsLot, remaining: int, change: LotChange | None) -> LotThen:
    """Return the lot with the dates it had before the change, with its present ones when there is none."""
    if change is None:
        state = LotState(remaining, lot.available_from, lot.expires_at, lot.notice_due)
    else:
        state = LotState(remaining, change.old_available_from, change.old_expires_at, change.old_notice_due)
    return LotThen(lot.pk, lot.granted, state)

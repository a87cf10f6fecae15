"""Activation: points that wait for an event become usable, and from then on they have an end."""

from datetime import datetime
from typing import Any

from members.events.log import write_event
from members.ledger import lots
from members.ledger.models import LotChange, PointsEntry, PointsLot, PointType
from members.ledger.movements import Kind, lock_accounts
from members.ledger.policies import Override
from members.lib.clock import database_now
from members.lib.transactions import retried


@retried
def activate_purchase(*, purchase_id: int, event: str | None = None, at: datetime | None = None) -> int:
    """Make the points that a purchase earned usable, once; return how many spendable points became so.

    Only lots that wait for an event, of the kind ``event`` where one is given; their end counts from ``at`` (the
    database's now unless given), by the policy of the programme or what the entry says of its rule or tier. Points
    that a merge carried over are found where they are now. Points that are pending by date need no such step: they are
    usable when they are read.
    """
    waiting = [
        (lot, wait)
        for lot, wait in _with_waits(purchase_id, _locked_waiting(purchase_id))
        if event is None or wait.get("event", event) == event
    ]
    recorded_at = database_now()
    usable_from = at or recorded_at
    LotChange.objects.bulk_create(
        [_activate(lot, wait.get("expiry"), usable_from, recorded_at) for lot, wait in waiting]
    )
    PointsLot.objects.bulk_update([lot for lot, _wait in waiting], ["available_from", "expires_at", "notice_due"])
    became: dict[int, int] = {}
    for lot, _wait in waiting:
        if lot.account.point_type == PointType.SPENDABLE:
            became[lot.member_id] = became.get(lot.member_id, 0) + lot.remaining
    for member_id, points in became.items():
        data = {"purchase": purchase_id, "points": points}
        write_event(kind="points.activated", member_id=member_id, data=data, occurred_at=usable_from)
    return sum(became.values())


def _locked_waiting(purchase_id: int) -> list[PointsLot]:
    """Lock the accounts that hold waiting lots of the purchase, and return these lots as they are under the locks."""
    locked: set[int] = set()
    while True:
        waiting = _waiting(purchase_id)
        missing = [lot.account for lot in waiting if lot.account_id not in locked]
        if not missing:
            return waiting
        # Spendable accounts before those of status points, as everywhere.
        for point_type in PointType:
            locked |= lock_accounts(account.pk for account in missing if account.point_type == point_type).keys()


def _waiting(purchase_id: int) -> list[PointsLot]:
    rows = PointsLot.objects.select_related("account").order_by("pk")
    found = list(rows.filter(entry__purchase_id=purchase_id, entry__kind=Kind.EARN))
    carried = found
    while carried:
        # A merge closes a lot and opens one for the survivor.
        carried = list(rows.filter(moved_from_id__in=[lot.pk for lot in carried]))
        found += carried
    return [lot for lot in found if lot.available_from is None and lot.remaining > 0]


def _with_waits(purchase_id: int, waiting: list[PointsLot]) -> list[tuple[PointsLot, dict[str, Any]]]:
    """Return each lot with what its entry says it waits for: the lots that wait for events come last, in that order.

    A lot that a merge carried over is told by the one it came from; status points wait with whatever is first.
    """
    earned = PointsEntry.objects.filter(purchase_id=purchase_id, kind=Kind.EARN, point_type=PointType.SPENDABLE)
    pending = [wait for entry in earned for wait in entry.breakdown.get("pending", []) if "event" in wait]
    if not pending:
        return [(lot, {}) for lot in waiting]
    own = list(PointsLot.objects.filter(entry__in=earned).order_by("pk").values_list("pk", flat=True))
    told = dict(zip(own[-len(pending) :], pending, strict=False))
    first = {"event": pending[0]["event"]}
    return [(lot, told.get(_origin(lot), first)) for lot in waiting]


def _origin(lot: PointsLot) -> int:
    """Return the id of the lot in which these points were earned."""
    while lot.moved_from_id is not None:
        lot = PointsLot.objects.get(pk=lot.moved_from_id)
    return lot.pk


def _activate(lot: PointsLot, override: Override, usable_from: datetime, recorded_at: datetime) -> LotChange:
    """Give the lot its dates, and return the change to record."""
    change = LotChange(
        lot=lot,
        member_id=lot.member_id,
        why=LotChange.Why.ACTIVATED,
        at=usable_from,
        recorded_at=recorded_at,
        old_expires_at=lot.expires_at,
        old_notice_due=lot.notice_due,
    )
    lot.available_from = usable_from
    if lot.account.point_type == PointType.SPENDABLE:
        dated = lots.new_lot(lot.remaining, available_from=usable_from, override=override)
        lot.expires_at, lot.notice_due = dated.expires_at, dated.notice_due
    change.new_available_from, change.new_expires_at = lot.available_from, lot.expires_at
    change.new_notice_due = lot.notice_due
    return change

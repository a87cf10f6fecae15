"""Reads for pages: what can be spent is decided here, at read time, from lots and the clock."""

from dataclasses import dataclass
from datetime import date, datetime

from members.ledger.models import PointsAccount, PointsEntry, PointsLot
from members.lib import periods
from members.lib.paging import Page, page_before
from members.programme.models import Programme


@dataclass(frozen=True)
class Expiring:
    """Points of one end: the exclusive instant and the last day they can be used."""

    points: int
    expires_at: datetime
    last_day: date


@dataclass(frozen=True)
class Balance:
    """What a member has at one instant, in points."""

    spendable: int
    pending: int
    debt: int
    expiring: list[Expiring]


def spendable_points(member_id: int, at: datetime) -> int:
    """Return the points that could be spent at ``at``: usable lots, whatever the sweep has done."""
    return balance_of(member_id, at).spendable


def balance_of(member_id: int, at: datetime) -> Balance:
    """Return balance, pending, debt and the ends of the usable points, soonest first. One query."""
    account = PointsAccount.objects.filter(member_id=member_id, point_type=PointsAccount.PointType.SPENDABLE)
    lots = PointsLot.objects.filter(account__in=account, remaining__gt=0).values_list(
        "remaining", "available_from", "expires_at", "account__debt"
    )
    rows = list(lots)
    if not rows:
        debt = account.values_list("debt", flat=True).first() or 0
        return Balance(spendable=0, pending=0, debt=debt, expiring=[])
    alive = [row for row in rows if row[2] is None or row[2] > at]
    spendable = sum(remaining for remaining, start, _end, _debt in alive if start <= at)
    pending = sum(remaining for remaining, start, _end, _debt in alive if start > at)
    ends: dict[datetime, int] = {}
    for remaining, start, end, _debt in alive:
        if end is not None and start <= at:
            ends[end] = ends.get(end, 0) + remaining
    return Balance(spendable=spendable, pending=pending, debt=rows[0][3], expiring=_ends(ends))


def _ends(ends: dict[datetime, int]) -> list[Expiring]:
    zone = Programme.current().tz
    return [
        Expiring(points=points, expires_at=end, last_day=periods.last_usable_day(end, zone))
        for end, points in sorted(ends.items())
    ]


def history_page(member_id: int, *, before_id: int | None = None, limit: int = 20) -> Page[PointsEntry]:
    """Return entries of the member, newest first, older than ``before_id``."""
    entries = PointsEntry.objects.filter(member_id=member_id).select_related("lot")
    return page_before(entries, before_id=before_id, limit=limit)

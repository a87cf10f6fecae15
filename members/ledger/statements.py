"""Reads for pages: what can be spent is decided here, at read time, from lots and the clock."""

from dataclasses import dataclass
from datetime import date, datetime

from django.db.models import Exists, OuterRef, Subquery

from members.ledger.models import PointsAccount, PointsEntry, PointsLot, PointType
from members.ledger.notices import told_end
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
    """Return balance, pending, debt and the ends of the usable points, soonest first. One query.

    Points that end only after a notice are shown with the first end that a notice sent now would allow.
    """
    account = PointsAccount.objects.filter(member_id=member_id, point_type=PointsAccount.PointType.SPENDABLE)
    lots = PointsLot.objects.filter(account__in=account, remaining__gt=0).values_list(
        "remaining", "available_from", "expires_at", "account__debt", "notice_due"
    )
    rows = list(lots)
    if not rows:
        debt = account.values_list("debt", flat=True).first() or 0
        return Balance(spendable=0, pending=0, debt=debt, expiring=[])
    alive = [row for row in rows if row[2] is None or row[2] > at or row[4]]
    usable = [row for row in alive if row[1] is not None and row[1] <= at]
    spendable = sum(row[0] for row in usable)
    pending = sum(row[0] for row in alive) - spendable
    ends: dict[datetime, int] = {}
    for remaining, _start, end, _debt, notice_due in usable:
        if end is not None:
            shown = told_end(end, told_at=at) if notice_due else end
            ends[shown] = ends.get(shown, 0) + remaining
    return Balance(spendable=spendable, pending=pending, debt=rows[0][3], expiring=_ends(ends))


def _ends(ends: dict[datetime, int]) -> list[Expiring]:
    zone = Programme.current().tz
    return [
        Expiring(points=points, expires_at=end, last_day=periods.last_usable_day(end, zone))
        for end, points in sorted(ends.items())
    ]


def history_page(member_id: int, *, before_id: int | None = None, limit: int = 20) -> Page[PointsEntry]:
    """Return entries of the member, newest first, older than ``before_id``.

    Each says when the first and the last of its lots end (``first_end``, ``last_end``), None for never, and whether
    one of them ends only after a notice (``notice_due``).
    """
    ends = PointsLot.objects.filter(entry=OuterRef("pk"), expires_at__isnull=False).values("expires_at")
    entries = PointsEntry.objects.filter(member_id=member_id, point_type=PointType.SPENDABLE).annotate(
        first_end=Subquery(ends.order_by("expires_at")[:1]),
        last_end=Subquery(ends.order_by("-expires_at")[:1]),
        notice_due=Exists(ends.filter(notice_due=True)),
    )
    return page_before(entries, before_id=before_id, limit=limit)

"""Reads for pages: what can be spent is decided here, at read time, from lots and the clock."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from typing import Any, NamedTuple

from django.db.models import OuterRef, Q, Subquery, Sum

from members.accounts.access import history_ids
from members.ledger.ended_holds import ended_holds
from members.ledger.models import Hold, LotUse, PointsAccount, PointsEntry, PointsLot, PointType
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
    # Set aside by open holds; not told for the past.
    held: int = field(default=0, compare=False)


class LotState(NamedTuple):
    """What is left of a lot, and from when until when it can be used."""

    remaining: int
    available_from: datetime | None
    expires_at: datetime | None
    notice_due: bool


def spendable_points(member_id: int, at: datetime) -> int:
    """Return the points that could be spent at ``at``: usable lots, whatever the sweep has done."""
    return balance_of(member_id, at).spendable


def spendable_of(member_ids: Collection[int], at: datetime) -> dict[int, int]:
    """Return what each of the members could spend at ``at``, as ``spendable_points`` does; those with nothing may miss.

    Two queries, and one more for each member with a hold that has run out and was not put back yet.
    """
    alive = Q(expires_at=None) | Q(expires_at__gt=at) | Q(notice_due=True)
    lots = PointsLot.objects.filter(
        alive,
        account__member__in=member_ids,
        account__point_type=PointType.SPENDABLE,
        available_from__lte=at,
        remaining__gt=0,
    )
    sums = lots.order_by().values("account__member").annotate(total=Sum("remaining"))
    found = dict(sums.values_list("account__member", "total"))
    unsettled = ended_holds(at).filter(member__in=member_ids).order_by().values_list("member", flat=True).distinct()
    return found | {member_id: spendable_points(member_id, at) for member_id in unsettled}


def balance_of(member_id: int, at: datetime) -> Balance:
    """Return balance, pending, held, debt and the ends of the usable points, soonest first. One query.

    Points that end only after a notice are shown with the first end that a notice sent now would allow. What holds kept
    that have run out belongs to its lots again, and pays a debt first.
    """
    account = PointsAccount.objects.filter(member_id=member_id, point_type=PointsAccount.PointType.SPENDABLE)
    lots = PointsLot.objects.filter(account__in=account, remaining__gt=0)
    held = Hold.objects.filter(member_id=member_id, state=Hold.State.HELD, expires_at__gt=at).values("member")
    aside = Subquery(held.annotate(total=Sum("points")).values("total"))
    parts = LotUse.objects.filter(entry__hold__in=ended_holds(at).filter(member_id=member_id), points__gt=0)
    parts = parts.filter(lot__account__in=account)
    found = lots.values_list("remaining", *_LIFE, "account__debt", "pk", aside).union(
        parts.values_list("points", *(f"lot__{name}" for name in _LIFE), "lot__account__debt", "lot", aside), all=True
    )
    rows = list(found)
    debt, set_aside = (rows[0][4], rows[0][6]) if rows else account.values_list("debt", aside).first() or (0, 0)
    states, owed = _pay(debt, sorted(rows, key=_place)) if debt else ([LotState(*row[:4]) for row in rows], 0)
    return replace(balance_from(states, owed, at), held=set_aside or 0)


_LIFE = ("available_from", "expires_at", "notice_due")
_FAR = datetime.max.replace(tzinfo=UTC)


def _place(row: tuple[Any, ...]) -> tuple[datetime, datetime, int]:
    """Return what sorts lots as they are spent."""
    _points, available_from, expires_at, _notice_due, _debt, lot_id, _held = row
    return expires_at or _FAR, available_from or _FAR, lot_id


def _pay(debt: int, rows: Iterable[tuple[Any, ...]]) -> tuple[list[LotState], int]:
    """Let what came back pay the debt."""
    left = []
    for points, *life in (row[:4] for row in rows):
        paid = min(debt, points)
        debt -= paid
        left.append(LotState(points - paid, *life))
    return left, debt


def balance_from(lots: Iterable[LotState], debt: int, at: datetime) -> Balance:
    """Return the balance that lots and a debt make at an instant. Pure but for the programme's zone."""
    alive = [lot for lot in lots if lot.expires_at is None or lot.expires_at > at or lot.notice_due]
    usable = [lot for lot in alive if lot.available_from is not None and lot.available_from <= at]
    spendable = sum(lot.remaining for lot in usable)
    ends: dict[datetime, int] = {}
    for lot in usable:
        if lot.expires_at is not None:
            shown = told_end(lot.expires_at, told_at=at) if lot.notice_due else lot.expires_at
            ends[shown] = ends.get(shown, 0) + lot.remaining
    pending = sum(lot.remaining for lot in alive) - spendable
    return Balance(spendable=spendable, pending=pending, debt=debt, expiring=_ends(ends))


def _ends(ends: dict[datetime, int]) -> list[Expiring]:
    zone = Programme.current().tz
    return [
        Expiring(points=points, expires_at=end, last_day=periods.last_usable_day(end, zone))
        for end, points in sorted(ends.items())
    ]


def entry_points(entry_id: int) -> int:
    """Return the signed points of one entry. Raises PointsEntry.DoesNotExist."""
    return PointsEntry.objects.values_list("points", flat=True).get(pk=entry_id)


def history_page(member_id: int, *, before_id: int | None = None, limit: int = 20) -> Page[PointsEntry]:
    """Return entries of the member and of those merged into it, newest first, older than ``before_id``.

    Each says when the first and the last of its lots end (``first_end``, ``last_end``), None for never, and whether
    these end only after a notice (``first_notice_due``, ``last_notice_due``).
    """
    ends = PointsLot.objects.filter(entry=OuterRef("pk"), expires_at__isnull=False)
    first, last = ends.order_by("expires_at", "-notice_due"), ends.order_by("-expires_at", "-notice_due")
    entries = PointsEntry.objects.filter(member_id__in=history_ids(member_id), point_type=PointType.SPENDABLE)
    entries = entries.annotate(
        first_end=Subquery(first.values("expires_at")[:1]),
        last_end=Subquery(last.values("expires_at")[:1]),
        first_notice_due=Subquery(first.values("notice_due")[:1]),
        last_notice_due=Subquery(last.values("notice_due")[:1]),
    )
    return page_before(entries, before_id=before_id, limit=limit)

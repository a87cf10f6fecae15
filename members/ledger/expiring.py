"""Which members' usable points end soon, or have an end of which nobody told them: reads for reminders, in ranges."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Max, Q, QuerySet, Sum

from members.ledger.models import LotChange, PointsLot, PointType
from members.ledger.notices import told_end


@dataclass(frozen=True)
class Ending:
    """So many points of one member end at one instant; ``told_at`` is when the member was last told of it."""

    member_id: int
    expires_at: datetime
    points: int
    told_at: datetime | None = None


def endings_between(*, after: datetime, until: datetime, range_size: int = 1000) -> Iterator[list[Ending]]:
    """Yield, in ranges, what is usable at ``after`` and ends later, but at ``until`` at the latest.

    Two queries a range.
    """
    lots = _usable(after).filter(expires_at__gt=after, expires_at__lte=until)
    yield from _in_ranges(lots, range_size)


def untold_endings(*, at: datetime, range_size: int = 1000) -> Iterator[list[Ending]]:
    """Yield, in ranges, what lives on at ``at`` although its end has passed, because its member was not told."""
    yield from _in_ranges(_usable(at).filter(expires_at__lte=at, notice_due=True), range_size)


def ending_of(member_id: int, expires_at: datetime, *, at: datetime) -> Ending | None:
    """Return what the member still has of one end, with the end that a notice sent at ``at`` would leave it; or None.

    One query.
    """
    alive = Q(expires_at__gt=at) | Q(notice_due=True)
    lots = _usable(at).filter(alive, member_id=member_id, expires_at=expires_at).values_list("remaining", "notice_due")
    found = list(lots)
    if not found:
        return None
    # Told before and newly told points of one date may end apart: the first of their ends is right for both.
    untold = all(notice_due for _remaining, notice_due in found)
    end = told_end(expires_at, told_at=at) if untold else expires_at
    return Ending(member_id, end, sum(remaining for remaining, _notice_due in found))


def _usable(at: datetime) -> QuerySet[PointsLot]:
    lots = PointsLot.objects.filter(remaining__gt=0, available_from__lte=at)
    return lots.filter(account__point_type=PointType.SPENDABLE)


def _in_ranges(lots: QuerySet[PointsLot], size: int) -> Iterator[list[Ending]]:
    place = Q()
    while True:
        rows = lots.filter(place).values_list("member_id", "expires_at").annotate(points=Sum("remaining"))
        found = list(rows.order_by("expires_at", "member_id")[:size])
        if not found:
            return
        told = _told(lots, {row[0] for row in found}, {row[1] for row in found})
        yield [Ending(member_id, end, points, told.get((member_id, end))) for member_id, end, points in found]
        last_member, last_end, _points = found[-1]
        place = Q(expires_at__gt=last_end) | Q(expires_at=last_end, member_id__gt=last_member)


def _told(lots: QuerySet[PointsLot], member_ids: set[int], ends: set[datetime]) -> dict[tuple[int, datetime], datetime]:
    told = lots.filter(member_id__in=member_ids, expires_at__in=ends, changes__why=LotChange.Why.NOTICED)
    rows = told.values_list("member_id", "expires_at").annotate(at=Max("changes__at"))
    return {(member_id, end): at for member_id, end, at in rows}

"""Which members' usable points end soon: a read for reminders, in ranges."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q, Sum

from members.ledger.models import PointsLot


@dataclass(frozen=True)
class Ending:
    """So many points of one member end at one instant."""

    member_id: int
    expires_at: datetime
    points: int


def endings_between(*, after: datetime, until: datetime, range_size: int = 1000) -> Iterator[list[Ending]]:
    """Yield, in ranges, what is usable at ``after`` and ends later, but at ``until`` at the latest.

    One query a range.
    """
    place = Q(expires_at__gt=after)
    while True:
        lots = PointsLot.objects.filter(place, remaining__gt=0, available_from__lte=after, expires_at__lte=until)
        rows = lots.values_list("member_id", "expires_at").annotate(points=Sum("remaining"))
        found = [
            Ending(member_id, end, points)
            for member_id, end, points in rows.order_by("expires_at", "member_id")[:range_size]
            if end is not None
        ]
        if not found:
            return
        yield found
        last = found[-1]
        place = Q(expires_at__gt=last.expires_at) | Q(expires_at=last.expires_at, member_id__gt=last.member_id)

"""From lines to documents. Pure: no file, no database, no clock."""

from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from itertools import groupby
from operator import itemgetter
from typing import NamedTuple
from zoneinfo import ZoneInfo

from members.lib.periods import local_instant
from members.purchases.drafts import DraftLine
from members.purchases.importing.parsing import Reason
from members.purchases.importing.spool import JoinedRow, Problem

# Some years of them: documents come in the order of time, but their customers do not.
_DAYS_KEPT = 5_000


class Document(NamedTuple):
    """A purchase or return of the file; ``places`` holds the line number of each draft line."""

    number: str
    at: str
    customer: str
    member_id: int | None
    lines: tuple[DraftLine, ...]
    places: tuple[int, ...]
    strangers: tuple[Problem, ...]


def group_lines(rows: Iterable[JoinedRow]) -> Iterator[Document]:
    """Yield the documents of rows that stand document by document; another customer's lines are strangers."""
    for _document, group in groupby(rows, key=itemgetter(0)):
        lines = list(group)
        _id, number, at, customer, member_id = lines[0][:5]
        own = [line for line in lines if line[6] == customer]
        strangers = [line for line in lines if line[6] != customer] if len(own) < len(lines) else []
        yield Document(
            number=number,
            at=at,
            customer=customer,
            member_id=member_id,
            lines=tuple([DraftLine(line[7], line[9], line[10], "", line[8]) for line in own]),
            places=tuple([line[5] for line in own]),
            strangers=tuple([Problem(line[5], number, Reason.OTHER_CUSTOMER) for line in strangers]),
        )


def places_of(unmatched: Iterable[DraftLine], document: Document) -> list[tuple[int, DraftLine]]:
    """Return the line in the file of each unmatched part of a return.

    Lines are matched in their order, so what is left over belongs to the last lines of its article.
    """
    places: dict[str, list[int]] = {}
    for line, place in zip(document.lines, document.places, strict=True):
        places.setdefault(line.sku, []).append(place)
    found = []
    for part in reversed(list(unmatched)):
        left = places[part.sku]
        found.append((left.pop() if len(left) > 1 else left[0], part))
    return found[::-1]


def instant_of(wall_clock: str, shift: timedelta, zone: ZoneInfo) -> datetime:
    """Return the UTC instant of a wall-clock time of the file, moved by whole days."""
    at = datetime.fromisoformat(wall_clock) + shift
    offset = _offset_on(at.date(), zone)
    if offset is not None:
        return (at - offset).replace(tzinfo=UTC)
    instant = local_instant(at.date(), at.hour, at.minute, zone)
    return instant.astimezone(UTC) + timedelta(seconds=at.second)


@lru_cache(_DAYS_KEPT)
def _offset_on(day: date, zone: ZoneInfo) -> timedelta | None:
    """Return how far the clocks are from UTC all that day long; None where they are changed."""
    midnight = datetime.combine(day, time.min)
    offsets = {(midnight + timedelta(hours=hour)).replace(tzinfo=zone).utcoffset() for hour in range(25)}
    return offsets.pop() if len(offsets) == 1 else None

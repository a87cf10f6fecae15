"""Keyset pages: constant cost however far one pages, no counts."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from django.db.models import Model, QuerySet

M = TypeVar("M", bound=Model)


@dataclass(frozen=True)
class Page(Generic[M]):
    """Some rows, newest first, and the id to ask for the next older ones with (None on the last page)."""

    rows: Sequence[M]
    older_before: int | None


def page_before(rows: QuerySet[M], *, before_id: int | None, limit: int) -> Page[M]:
    """Return at most ``limit`` rows with smaller ids than ``before_id``, newest first."""
    if before_id is not None:
        rows = rows.filter(pk__lt=before_id)
    found = list(rows.order_by("-pk")[: limit + 1])
    more = len(found) > limit
    return Page(rows=found[:limit], older_before=found[limit - 1].pk if more else None)

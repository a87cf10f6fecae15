"""Writing to the event log: always inside the transaction of the change."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection

from members.events.models import Event
from members.jobs import wakeup
from members.lib.clock import database_now


class OutsideTransaction(Exception):
    """An event must commit together with the change it tells of."""


@dataclass(frozen=True)
class NewEvent:
    """An event to append; ``data`` holds ids and numbers only."""

    kind: str
    member_id: int | None
    data: dict[str, Any]
    occurred_at: datetime
    backfilled: bool = False


def write_event(
    *,
    kind: str,
    member_id: int | None,
    data: dict[str, Any],
    occurred_at: datetime | None = None,
    backfilled: bool = False,
) -> Event:
    """Append one event and wake the readers after commit.

    ``data`` holds ids and numbers only. Raises OutsideTransaction when there is no transaction to join.
    """
    return write_events([NewEvent(kind, member_id, data, occurred_at or database_now(), backfilled)])[0]


def write_events(news: Sequence[NewEvent], *, now: datetime | None = None) -> list[Event]:
    """Append many events in their order, and wake the readers after commit; raises OutsideTransaction.

    ``now`` is the database's clock where the caller has just read it.
    """
    if not connection.in_atomic_block:
        raise OutsideTransaction
    now = now or database_now()
    events = Event.objects.bulk_create(
        Event(
            kind=new.kind,
            member_id=new.member_id,
            occurred_at=new.occurred_at,
            recorded_at=now,
            data=new.data,
            backfilled=new.backfilled,
        )
        for new in news
    )
    wakeup.wake_after_commit()
    return events


_SELECTED = """
INSERT INTO members_event (kind, member_id, occurred_at, recorded_at, data, backfilled)
SELECT %(event_kind)s, selected.member_id, %(event_at)s, %(event_now)s, selected.data, %(event_backfilled)s
FROM ({query}) selected ORDER BY selected.member_id
"""


def write_selected_events(
    *, kind: str, query: str, parameters: Mapping[str, Any], occurred_at: datetime, backfilled: bool = False
) -> int:
    """Append an event of a kind for each (member_id, data) of a query, by member; return how many.

    For work in sets: no row comes to Python. Raises OutsideTransaction.
    """
    if not connection.in_atomic_block:
        raise OutsideTransaction
    adapt = connection.ops.adapt_datetimefield_value
    own = {
        "event_kind": kind,
        "event_at": adapt(occurred_at),
        "event_now": adapt(database_now()),
        "event_backfilled": backfilled,
    }
    with connection.cursor() as cursor:
        cursor.execute(_SELECTED.format(query=query), {**parameters, **own})
        written = int(cursor.rowcount)
    wakeup.wake_after_commit()
    return written

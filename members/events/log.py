"""Writing to the event log: always inside the transaction of the change."""

from collections.abc import Sequence
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

"""The outbox: what is to be done after commit, with a lease and a limit of attempts."""

import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, transaction
from django.db.models import Q

from members.jobs import wakeup
from members.jobs.models import Outbox
from members.lib.clock import database_now

logger = logging.getLogger(__name__)

Handler = Callable[[dict[str, Any]], None]

LEASE = timedelta(seconds=120)
MAX_ATTEMPTS = 8

_handlers: dict[str, Handler] = {}


def handles(kind: str) -> Callable[[Handler], Handler]:
    """Register the handler of one kind. It is called at least once per row, outside any transaction."""

    def register(handler: Handler) -> Handler:
        _handlers[kind] = handler
        return handler

    return register


def enqueue(*, kind: str, payload: dict[str, Any], key: str | None = None, due_at: datetime | None = None) -> None:
    """Write one row in the caller's transaction, once per key. ``payload`` holds ids only."""
    now = database_now()
    row = Outbox(kind=kind, payload=payload, key=key, due_at=due_at or now, created_at=now)
    Outbox.objects.bulk_create([row], ignore_conflicts=key is not None)
    wakeup.wake_after_commit()


def drain(*, limit: int = 200) -> int:
    """Do due rows one after the other until none is left or ``limit`` is reached; return how many were tried."""
    tried = 0
    while tried < limit:
        row = _claim()
        if row is None:
            break
        _work(row)
        tried += 1
    return tried


@transaction.atomic
def _claim() -> Outbox | None:
    # Attempts are committed before the work, so that a row that kills its worker stops after MAX_ATTEMPTS.
    now = database_now()
    due = Outbox.objects.filter(state=Outbox.State.PENDING, due_at__lte=now)
    due = due.filter(Q(lease_until=None) | Q(lease_until__lt=now)).order_by("due_at", "pk")
    if connection.features.has_select_for_update_skip_locked:
        due = due.select_for_update(skip_locked=True)
    row = due.first()
    if row is None:
        return None
    if row.attempts >= MAX_ATTEMPTS:
        row.state = Outbox.State.DEAD
        row.finished_at = now
        row.last_error = row.last_error or "The worker died at every attempt."
        row.save(update_fields=["state", "finished_at", "last_error"])
        return row
    row.attempts += 1
    row.lease_until = now + LEASE
    row.save(update_fields=["attempts", "lease_until"])
    return row


def _work(row: Outbox) -> None:
    if row.state == Outbox.State.DEAD:
        return
    try:
        _handlers[row.kind](row.payload)
    except Exception as problem:
        logger.exception("outbox row failed", extra={"outbox": row.pk, "kind": row.kind})
        _put_back(row, repr(problem))
    else:
        _settle(row, state=Outbox.State.DONE, finished_at=database_now())


def _put_back(row: Outbox, error: str) -> None:
    if row.attempts >= MAX_ATTEMPTS:
        _settle(row, state=Outbox.State.DEAD, finished_at=database_now(), last_error=error)
        return
    wait = timedelta(seconds=min(5 * 4 ** (row.attempts - 1), 3600))
    _settle(row, lease_until=None, due_at=database_now() + wait, last_error=error)


def _settle(row: Outbox, **changes: Any) -> None:
    # Only the owner of the lease may settle: another worker may have taken over a row that ran too long.
    Outbox.objects.filter(pk=row.pk, attempts=row.attempts, state=Outbox.State.PENDING).update(**changes)


def retry_dead(*, outbox_id: int) -> None:
    """Give a given-up row a fresh set of attempts."""
    Outbox.objects.filter(pk=outbox_id, state=Outbox.State.DEAD).update(
        state=Outbox.State.PENDING, attempts=0, lease_until=None, due_at=database_now(), finished_at=None
    )


def next_due_age_seconds(at: datetime) -> float:
    """Return for how long the oldest due row has waited; 0 when nothing waits."""
    oldest = (
        Outbox.objects.filter(state=Outbox.State.PENDING, due_at__lte=at)
        .order_by("due_at")
        .values_list("due_at")
        .first()
    )
    return (at - oldest[0]).total_seconds() if oldest else 0.0

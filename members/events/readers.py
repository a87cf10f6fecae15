"""Reading the event log by cursor: whatever reacts to a fact does it here, once per event."""

import logging
from collections.abc import Callable, Container
from typing import Any

from django.db import connection, transaction
from django.db.models import Q

from members.events.models import Event, EventReader
from members.jobs import outbox
from members.lib.clock import database_now
from members.lib.positions import settled_position

logger = logging.getLogger(__name__)

React = Callable[[Event], None]

_BATCH = 200
_readers: dict[str, tuple[Container[str], React]] = {}


def reader(name: str, *, kinds: Container[str]) -> Callable[[React], React]:
    """Register a reader. It is called once per event of its kinds, in one transaction with its cursor.

    An event it fails on is parked in the outbox (at most eight attempts) so that the ones behind it are not held up.
    """

    def register(react: React) -> React:
        _readers[name] = (kinds, react)
        outbox.handles(f"reader:{name}")(_retry_with(react))
        return react

    return register


def read_all() -> int:
    """Let every reader catch up; return how many events were handled."""
    return sum(_catch_up(name) for name in sorted(_readers))


def _catch_up(name: str) -> int:
    handled = 0
    while True:
        count = _read_batch(name)
        if count is None:
            return handled
        handled += count


@transaction.atomic
def _read_batch(name: str) -> int | None:
    """Handle one batch and move the cursor; None when there is nothing to read or another worker is reading."""
    place = _lock_place(name)
    if place is None:
        return None
    seen = _next_events(place)
    if not seen:
        return None
    kinds, react = _readers[name]
    wanted = [event for event in seen if event.kind in kinds]
    for event in wanted:
        _react_or_park(name, react, event)
    place.position, place.event_id, place.updated_at = seen[-1].position, seen[-1].pk, database_now()
    place.save(update_fields=["position", "event_id", "updated_at"])
    return len(wanted)


def _lock_place(name: str) -> EventReader | None:
    # Looked up first: an INSERT that does nothing still uses up a transaction id on every knock.
    if not EventReader.objects.filter(name=name).exists():
        EventReader.objects.bulk_create([EventReader(name=name)], ignore_conflicts=True)
    skip = connection.features.has_select_for_update_skip_locked
    return EventReader.objects.select_for_update(skip_locked=skip).filter(name=name).first()


def _next_events(place: EventReader) -> list[Event]:
    after = Q(position__gt=place.position) | Q(position=place.position, pk__gt=place.event_id)
    settled = Event.objects.filter(after, position__lt=settled_position())
    return list(settled.order_by("position", "pk")[:_BATCH])


def _react_or_park(name: str, react: React, event: Event) -> None:
    try:
        with transaction.atomic():
            react(event)
    except Exception:
        logger.exception("event reader failed", extra={"reader": name, "event": event.pk})
        outbox.enqueue(kind=f"reader:{name}", payload={"event": event.pk}, key=f"reader:{name}:{event.pk}")


def _retry_with(react: React) -> outbox.Handler:
    def retry(payload: dict[str, Any]) -> None:
        with transaction.atomic():
            react(Event.objects.get(pk=payload["event"]))

    return retry

"""After a restore: event positions are transaction ids of the server the dump came from, and mean nothing here.

A new server counts from the start, so its events would sort before the restored ones and readers would never reach
them. Every restored event is settled: all of them get position 0, and each reader goes back to the first event it has
not read.
"""

from django.db import transaction
from django.db.models import Min, Q

from members.events.models import Event, EventReader
from members.lib import guards
from members.lib.positions import settled_position


def is_ahead() -> bool:
    """Tell whether events carry positions that this server has not reached: the sign of a restore."""
    newest = Event.objects.order_by("-position").values_list("position", flat=True).first()
    return newest is not None and newest > settled_position() + _STILL_RUNNING


# Transactions that began after the oldest running one have higher ids; a server never has so many at once.
_STILL_RUNNING = 1_000_000


@transaction.atomic
def rebase_positions() -> int:
    """Bring all events and readers to this server's positions; return how many events were moved.

    Stop the workers first. An event whose neighbours were read out of id order may be read once more.
    """
    places = [(reader, _first_unread(reader)) for reader in EventReader.objects.select_for_update()]
    with guards.lifted("members_event"):
        moved = Event.objects.exclude(position=0).update(position=0)
    last = Event.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
    for reader, first in places:
        reader.position, reader.event_id = 0, (first - 1 if first is not None else last)
        reader.save(update_fields=["position", "event_id"])
    return moved


def _first_unread(reader: EventReader) -> int | None:
    after = Q(position__gt=reader.position) | Q(position=reader.position, pk__gt=reader.event_id)
    first: int | None = Event.objects.filter(after).aggregate(first=Min("pk"))["first"]
    return first

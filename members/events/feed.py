"""Reading the log in bulk: whom something new is told about, for work that is done in sets once in a while."""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q, QuerySet

from members.events.models import Event, EventReader
from members.lib.positions import settled_position


@dataclass(frozen=True)
class Place:
    """A place in the log: every event up to it is committed."""

    position: int
    event_id: int


def place_of(name: str) -> tuple[Place, datetime] | None:
    """Return how far a reader in bulk has come, and as of when; None before its first time."""
    kept = EventReader.objects.filter(name=name).first()
    return (Place(kept.position, kept.event_id), kept.updated_at) if kept and kept.updated_at else None


def newest_place() -> Place:
    """Return the place behind which only events can appear that are not committed yet."""
    settled = Event.objects.filter(position__lt=settled_position())
    newest = settled.order_by("-position", "-pk").values_list("position", "pk").first()
    return Place(*newest) if newest else Place(-1, 0)


def members_told_of(since: Place, until: Place, *, but_for: str = "") -> QuerySet[Event, int]:
    """Return the ids of the members whom the events between two places are about, in order, each once.

    Kinds that begin with ``but_for`` are left out.
    """
    behind = Q(position__gt=since.position) | Q(position=since.position, pk__gt=since.event_id)
    before = Q(position__lt=until.position) | Q(position=until.position, pk__lte=until.event_id)
    told = Event.objects.filter(behind, before, position__gte=since.position, position__lte=until.position)
    if but_for:
        told = told.exclude(kind__startswith=but_for)
    return told.exclude(member=None).order_by("member_id").values_list("member_id", flat=True).distinct()


def keep_place(name: str, place: Place, at: datetime) -> None:
    """Remember how far a reader in bulk has come, and as of when."""
    EventReader.objects.update_or_create(
        name=name, defaults={"position": place.position, "event_id": place.event_id, "updated_at": at}
    )


def forget_place(name: str) -> None:
    """Let a reader in bulk begin anew."""
    EventReader.objects.filter(name=name).delete()

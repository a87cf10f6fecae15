"""Whether the site is alive: its database, its worker and its scheduler."""

from datetime import timedelta

from django.db import DatabaseError, connection
from django.http import HttpRequest, JsonResponse
from django.utils import timezone

from members.jobs.models import Heartbeat

FRESH = timedelta(seconds=60)


def healthz(request: HttpRequest) -> JsonResponse:
    """Answer 200 when every part is alive, 503 otherwise, and name the state of each."""
    state = {"database": database_state()}
    state |= {name: heartbeat_state(name) for name in ("worker", "scheduler")}
    is_well = all(word == "ok" for word in state.values())
    status = {"status": "ok" if is_well else "unwell"}
    return JsonResponse(status | state, status=200 if is_well else 503, headers={"Cache-Control": "no-store"})


def database_state() -> str:
    """Return `ok` when the database answers."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        return "down"
    return "ok"


def heartbeat_state(name: str) -> str:
    """Return `ok` for a fresh heartbeat, `late` for an old one, `missing` when there never was one."""
    try:
        beaten_at = Heartbeat.objects.filter(name=name).values_list("beaten_at", flat=True).first()
    except DatabaseError:
        return "unknown"
    if beaten_at is None:
        return "missing"
    return "ok" if timezone.now() - beaten_at < FRESH else "late"

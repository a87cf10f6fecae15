"""Signs of life, for the health page."""

from datetime import datetime

from members.jobs.models import Heartbeat


def beat(name: str, *, at: datetime) -> None:
    """Record that ``name`` is alive."""
    Heartbeat.objects.update_or_create(name=name, defaults={"beaten_at": at})

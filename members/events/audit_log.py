"""The audit trail: who did what, and why."""

from typing import Any

from members.events.models import Audit
from members.lib.clock import database_now


def write_audit(
    *, actor_id: int | None, action: str, target: str, reason: str, data: dict[str, Any] | None = None
) -> Audit:
    """Append one row; ``target`` names a thing by public id or number, never by a person's name."""
    return Audit.objects.create(
        actor_id=actor_id, action=action, target=target, reason=reason, data=data or {}, at=database_now()
    )

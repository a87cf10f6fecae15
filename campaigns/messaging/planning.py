"""Planning deliveries.

Rows, once per campaign, occurrence, member and step, however often they are planned.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from campaigns.messaging.models import Delivery
from members.jobs.outbox import enqueue
from members.lib.clock import database_now


@dataclass(frozen=True)
class Draft:
    """A message to be planned. ``context`` holds ids and numbers only.

    ``expires_at`` is when it becomes pointless.
    """

    member_id: int
    occurrence: str
    message: str
    due_at: datetime
    expires_at: datetime | None = None
    step: int = 0
    context: dict[str, int | str] = field(default_factory=dict)


def plan_deliveries(*, campaign_id: int, drafts: Iterable[Draft]) -> None:
    """Insert the deliveries that do not exist yet, in one statement.

    The sweep sends them when they are due.
    """
    now = database_now()
    rows = [
        Delivery(
            campaign_id=campaign_id,
            member_id=draft.member_id,
            occurrence=draft.occurrence,
            step=draft.step,
            message=draft.message,
            context=draft.context,
            planned_at=now,
            due_at=draft.due_at,
            expires_at=draft.expires_at,
        )
        for draft in drafts
    ]
    Delivery.objects.bulk_create(rows, ignore_conflicts=True, batch_size=500)


def plan_delivery(*, campaign_id: int, draft: Draft) -> Delivery:
    """Plan one delivery in the caller's transaction and wake a worker for it.

    A repeat returns the first one.
    """
    plan_deliveries(campaign_id=campaign_id, drafts=[draft])
    delivery = Delivery.objects.get(
        campaign_id=campaign_id, occurrence=draft.occurrence, member_id=draft.member_id, step=draft.step
    )
    enqueue(
        kind="delivery.send",
        payload={"delivery": delivery.pk},
        key=f"delivery:{delivery.pk}",
        due_at=delivery.due_at,
    )
    return delivery

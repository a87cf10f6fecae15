"""Named questions about campaigns and deliveries."""

from datetime import datetime
from typing import TYPE_CHECKING, Self

from django.db import connection, models

if TYPE_CHECKING:
    from campaigns.messaging.models import Campaign, Delivery


class CampaignQuerySet(models.QuerySet["Campaign"]):
    """Questions about campaigns."""

    def running(self, kind: str) -> Self:
        """Campaigns of one kind that are switched on."""
        return self.filter(kind=kind, is_active=True)


class DeliveryQuerySet(models.QuerySet["Delivery"]):
    """Questions about deliveries."""

    def due(self, at: datetime) -> Self:
        """What waits for its hand-over, longest waiting first."""
        return self.filter(state__in=["PLANNED", "REFUSED"], due_at__lte=at).order_by("due_at", "pk")

    def abandoned(self, state: str, at: datetime) -> Self:
        """Rows in ``state`` whose worker has not come back in time."""
        return self.filter(state=state, lease_until__lt=at)

    def locked(self) -> Self:
        """Lock the rows, leaving out those another worker holds."""
        return self.select_for_update(
            skip_locked=connection.features.has_select_for_update_skip_locked, of=_self_if_supported()
        )


def _self_if_supported() -> tuple[str, ...]:
    return ("self",) if connection.features.has_select_for_update_of else ()

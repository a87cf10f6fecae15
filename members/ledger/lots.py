"""Making lots: when points become usable and when they end, by the programme's policy."""

from datetime import datetime

from members.ledger.award_rows import AwardLot
from members.programme.models import Programme


def new_lot(points: int, *, available_from: datetime | None) -> AwardLot:
    """Return a lot of so many points, usable from an instant (None waits for an event) to the programme's end."""
    expires_at = Programme.current().expiry_of(available_from) if available_from else None
    return AwardLot(points, available_from, expires_at)

"""Making lots: when points become usable and when they end, by the programme's policy."""

from datetime import datetime
from typing import Literal

from members.ledger.award_rows import AwardLot
from members.lib import periods
from members.programme.models import Programme


def new_lot(
    points: int, *, available_from: datetime | None, override: int | Literal["never"] | None = None
) -> AwardLot:
    """Return a lot of so many points, usable from an instant (None waits for an event) to the programme's end.

    ``override`` is the end that a rule sets instead: so many months (0: the same day), or "never".
    """
    expires_at = _end_of(available_from, override) if available_from else None
    return AwardLot(points, available_from, expires_at)


def _end_of(start: datetime, override: int | Literal["never"] | None) -> datetime | None:
    programme = Programme.current()
    if override is None:
        return programme.expiry_of(start)
    if override == "never":
        return None
    to_month_end = bool(override) and programme.expiry_at_month_end
    return periods.end_after_months(start, override, to_month_end=to_month_end, zone=programme.tz)

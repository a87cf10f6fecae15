"""Which reminder is due when. Pure: no clock, no database."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from members.lib import periods


@dataclass(frozen=True)
class Step:
    """One reminder: so many days before the end, due at one instant, pointless from another (exclusive)."""

    days: int
    due_at: datetime
    expires_at: datetime


def steps_of(*, expires_at: datetime, days_before: Iterable[int], hour: int, zone: ZoneInfo) -> list[Step]:
    """Return the reminders of one end, earliest first.

    Each is pointless once the next is due, the last at the end.
    """
    last_day = periods.local_day(expires_at, zone)
    days = sorted(set(days_before), reverse=True)
    dues = [periods.local_instant(last_day - timedelta(days=each), hour, 0, zone) for each in days]
    ends = [*dues[1:], expires_at]
    return [Step(*each) for each in zip(days, dues, ends, strict=True)]


def steps_to_plan(
    steps: Iterable[Step], *, at: datetime, until: datetime, told_at: datetime | None = None
) -> list[Step]:
    """Return those that are due by ``until``, not pointless at ``at`` and not due when the member was last told."""
    due = [step for step in steps if step.due_at <= until and at < step.expires_at]
    return [step for step in due if told_at is None or step.due_at > told_at]

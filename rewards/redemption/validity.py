"""From when until when a redemption can be used."""

from datetime import datetime, timedelta

from members.lib import periods
from members.programme.models import Programme
from rewards.catalogue.models import Reward


def validity(reward: Reward, now: datetime) -> tuple[datetime | None, datetime | None]:
    """Return the first instant and the exclusive end; None for at once and for no end.

    Days are those of the programme's zone. The days to use it count from the first usable day; the last one counts in
    full: the end is the midnight after it. What is sent has no last day: only we can be late with it.
    """
    zone = Programme.current().tz
    first = periods.local_day(now, zone) + timedelta(days=reward.usable_after_days)
    begins = periods.start_of_day(first, zone) if reward.usable_after_days else None
    if reward.valid_days is None or reward.handover == Reward.Handover.SEND:
        return begins, None
    return begins, periods.start_of_day(first + timedelta(days=reward.valid_days + 1), zone)

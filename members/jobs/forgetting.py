"""What is kept for a while only: stored answers of keyed requests."""

from datetime import datetime, time, timedelta

from members.jobs.models import IdempotencyKey
from members.jobs.schedule import Turn, scheduled

ANSWERS_KEPT = timedelta(days=30)


@scheduled("forget-stored-answers", daily_at=time(3, 20))
def forget_daily(turn: Turn) -> dict[str, int]:
    """Run once a day."""
    return {"forgotten": forget_answers(at=turn.now())}


def forget_answers(*, at: datetime) -> int:
    """Delete answers older than ANSWERS_KEPT; return how many. A purchase stays once for ever by its number."""
    deleted, _by_model = IdempotencyKey.objects.filter(created_at__lt=at - ANSWERS_KEPT).delete()
    return deleted

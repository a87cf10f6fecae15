"""The scheduled job that finds wishes which have come within reach; others tell the member."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from members.events.log import NewEvent, write_events
from members.jobs.schedule import Turn, scheduled
from members.lib.transactions import retried
from rewards.wishes.models import Wish
from rewards.wishes.standing import stand_of

MEMBERS = 500

AFFORDABLE = "wish.affordable"
BACK_IN_STOCK = "wish.back_in_stock"


@scheduled("wish-news", every=timedelta(hours=1))
def find_news(turn: Turn) -> dict[str, Any]:
    """Look at all wishes, in ranges of members; a killed run carries on after the last range."""
    at = turn.now()
    after: int | None = turn.cursor
    while after is not None:
        after = _chunk(turn, at, after)
    return {"told": turn.done}


@retried
def _chunk(turn: Turn, at: datetime, after: int) -> int | None:
    told, last = news_chunk(at=at, after_member_id=after)
    if last is not None:
        turn.checkpoint(last, done=turn.done + told, total=0)
    return last


@retried
def news_chunk(*, at: datetime, after_member_id: int = 0) -> tuple[int, int | None]:
    """Compare the wishes of up to 500 members with how they last stood, and tell of each that turned to yes.

    What turned to no is armed again. Writes ``wish.affordable`` and ``wish.back_in_stock``; returns how many, and the
    member to go on after (None when none are left).
    """
    later = Wish.objects.filter(member_id__gt=after_member_id).order_by("member_id")
    ids = list(later.values_list("member_id", flat=True).distinct()[:MEMBERS])
    if not ids:
        return 0, None
    wishes = list(Wish.objects.filter(member_id__in=ids).order_by("pk").select_for_update(no_key=True))
    now = stand_of(wishes, at=at)
    news = [
        *_turned(wishes, {wish.pk: now[wish.member_id, wish.reward_id].is_affordable for wish in wishes},
                 field="is_affordable", kind=AFFORDABLE, at=at),
        *_turned(wishes, {wish.pk: now[wish.member_id, wish.reward_id].is_in_stock for wish in wishes},
                 field="is_in_stock", kind=BACK_IN_STOCK, at=at),
    ]  # fmt: skip
    write_events(news)
    return len(news), ids[-1]


def _turned(wishes: Iterable[Wish], now: dict[int, bool], *, field: str, kind: str, at: datetime) -> list[NewEvent]:
    changed = [wish for wish in wishes if getattr(wish, field) != now[wish.pk]]
    for value in (True, False):
        turned = [wish.pk for wish in changed if now[wish.pk] is value]
        if turned:
            Wish.objects.filter(pk__in=turned).update(**{field: value})
    return [
        NewEvent(kind, wish.member_id, {"wish": wish.pk, "reward": wish.reward_id}, at)
        for wish in changed
        if now[wish.pk]
    ]

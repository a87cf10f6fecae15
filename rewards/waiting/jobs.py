"""Freed seats go to the queue: at once when a redemption is taken back, and by a job that also ends old offers."""

from datetime import timedelta
from typing import Any

from members.accounts.merging import Merge, merge_step
from members.events.models import Event
from members.events.readers import reader
from members.jobs.schedule import Turn, scheduled
from rewards.redemption.models import Redemption
from rewards.waiting.models import WaitingPlace
from rewards.waiting.queueing import OPEN, offer_places

State = WaitingPlace.State


@scheduled("waiting-places", every=timedelta(minutes=5))
def serve_queues(turn: Turn) -> dict[str, Any]:
    """Serve every queue, each in a transaction of its own."""
    at = turn.now()
    waiting = WaitingPlace.objects.filter(state__in=OPEN).order_by("reward_id")
    offered = 0
    for reward_id in list(waiting.values_list("reward_id", flat=True).distinct()):
        offered += offer_places(reward_id=reward_id, at=at)
    return {"offered": offered}


@reader("waiting-places", kinds={"redemption.cancelled", "redemption.released", "redemption.refunded"})
def serve_after_a_cancellation(event: Event) -> None:
    """Offer the seat that has just become free."""
    reward_id = Redemption.objects.values_list("reward_id", flat=True).get(pk=event.data["redemption"])
    if WaitingPlace.objects.filter(reward_id=reward_id, state__in=OPEN).exists():
        offer_places(reward_id=reward_id)


@merge_step(43)
def join_places(merge: Merge) -> None:
    """Give the survivor the loser's places; of two in one queue the better stays.

    A seat that is offered twice to one person is freed by the job: a merge touches no stock.
    """
    own = {place.reward_id: place for place in _open_of(merge.survivor_id)}
    for place in _open_of(merge.loser_id):
        other = own.get(place.reward_id)
        if other is not None:
            worse = other if _is_better(place, other) else place
            _end(worse, merge)
        if other is None or _is_better(place, other):
            WaitingPlace.objects.filter(pk=place.pk).update(member_id=merge.survivor_id)


def _open_of(member_id: int) -> list[WaitingPlace]:
    return list(WaitingPlace.objects.filter(member_id=member_id, state__in=OPEN).order_by("pk"))


def _is_better(of_loser: WaitingPlace, of_survivor: WaitingPlace) -> bool:
    if State.OFFERED in (of_loser.state, of_survivor.state):
        return of_survivor.state != State.OFFERED
    return of_loser.pk < of_survivor.pk


def _end(place: WaitingPlace, merge: Merge) -> None:
    """End a place; one that is offered (only ever the loser's) ends through the job, which has the stock."""
    mine = WaitingPlace.objects.filter(pk=place.pk)
    if place.state == State.OFFERED:
        mine.update(offered_until=merge.at)
    else:
        mine.update(state=State.LEFT, settled_at=merge.at)

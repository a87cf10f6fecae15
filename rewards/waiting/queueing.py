"""Waiting for a seat that becomes free: joining the queue, leaving it, being offered a seat, taking it.

An offered seat is taken out of the stock until the offer ends, so that nobody else can have it. Order of locks: the
accounts of whoever takes a seat, then the queue (the row of the reward), then places, stock last.
"""

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q

from members.accounts.models import Member
from members.events.log import write_event
from members.ledger import pools
from members.lib.clock import database_now
from members.lib.transactions import retried
from rewards.catalogue.availability import Why, reasons_against
from rewards.catalogue.models import Reward
from rewards.redemption.models import Redemption
from rewards.redemption.offers import facts_of
from rewards.redemption.redeeming import redeem
from rewards.stock.movements import NotEnoughStock, adjust_stock
from rewards.waiting.models import WaitingPlace

State = WaitingPlace.State
OPEN = (State.WAITING, State.OFFERED)
OFFERED = "waiting.offered"


class NothingToWaitFor(Exception):
    """This reward has no queue, is not on offer, or still has seats."""


class NotOffered(Exception):
    """No seat is offered to this member, or the offer has ended."""


@retried
def join_queue(*, member_id: int, reward_id: int, at: datetime | None = None) -> WaitingPlace:
    """Put the member at the end of the queue; a repeat returns the first place. Raises NothingToWaitFor.

    Everything but the sold-out seats must be right: dates, tier, segment, limits and points.
    """
    reward = _lock_queue(reward_id)
    now = at or database_now()
    place = WaitingPlace.objects.filter(member_id=member_id, reward=reward, state__in=OPEN).first()
    if place is not None and place.offered_until is not None and place.offered_until <= now:
        _settle(place, State.LAPSED, now)
        _offer(reward_id, now)
    elif place is not None:
        return place
    member = Member.objects.get(pk=member_id)
    reasons = {reason.why for reason in reasons_against(facts_of(member=member, rewards=[reward], at=now)[reward.pk])}
    if (
        not reward.behaviour.has_waiting_list
        or reward.is_unlimited
        or reasons != {Why.SOLD_OUT}
        or _is_over(reward, now)
    ):
        raise NothingToWaitFor(reward_id)
    return WaitingPlace.objects.create(member_id=member_id, reward=reward, joined_at=now)


@retried
def leave_queue(*, member_id: int, reward_id: int, at: datetime | None = None) -> None:
    """Give up the member's place; a seat that was offered goes to the next. Nothing happens without a place."""
    _lock_queue(reward_id)
    now = at or database_now()
    place = WaitingPlace.objects.filter(member_id=member_id, reward_id=reward_id, state__in=OPEN).first()
    if place is not None:
        _settle(place, State.LEFT, now)
        _offer(reward_id, now)


@retried
def offer_places(*, reward_id: int, at: datetime | None = None) -> int:
    """Let offers end that are past their time, and offer free seats to those who came first; return how many.

    Each offer holds for the reward's hours, at most until the event begins, and writes ``waiting.offered``. When the
    offer of the reward is over, the queue ends.
    """
    reward = _lock_queue(reward_id)
    now = at or database_now()
    places = WaitingPlace.objects.filter(reward=reward)
    due = places.filter(state=State.OFFERED, offered_until__lte=now) if not _is_over(reward, now) else places
    for place in due.filter(state__in=OPEN).order_by("pk"):
        _settle(place, State.LAPSED, now)
    return _offer(reward_id, now)


@retried
def take_place(
    *, member_id: int, reward_id: int, key: str, price_seen: int | None = None, at: datetime | None = None
) -> Redemption:
    """Redeem the seat that is offered to the member, once per key. Raises NotOffered or what ``redeem`` raises.

    When redeeming is refused, nothing changes and the offer stands.
    """
    # First of all, as for every redemption: whoever has the account may wait for the queue, not the other way round.
    pools.lock_pool(member_id)
    _lock_queue(reward_id)
    mine = WaitingPlace.objects.filter(member_id=member_id, reward_id=reward_id)
    taken = mine.filter(state=State.TAKEN, redemption__key=key).select_related("redemption").first()
    if taken is not None and taken.redemption is not None:
        return taken.redemption
    now = at or database_now()
    place = mine.filter(state=State.OFFERED, offered_until__gt=now).first()
    if place is None:
        raise NotOffered(reward_id)
    # Of its own, so that a refusal leaves nothing behind in a caller's transaction either.
    with transaction.atomic():
        _put_back(place)
        redemption = redeem(member_id=member_id, reward_id=reward_id, key=key, price_seen=price_seen, at=at)
        WaitingPlace.objects.filter(pk=place.pk).update(state=State.TAKEN, settled_at=now, redemption=redemption)
    return redemption


def place_of(*, member_id: int, reward_id: int, at: datetime) -> WaitingPlace | None:
    """Return the member's open place in the queue; an offer that has ended counts as none."""
    ended = Q(state=State.OFFERED, offered_until__lte=at)
    mine = WaitingPlace.objects.filter(member_id=member_id, reward_id=reward_id, state__in=OPEN)
    return mine.exclude(ended).first()


def number_in_queue(place: WaitingPlace) -> int:
    """Return which number the place has among those that still wait, from 1."""
    before = WaitingPlace.objects.filter(reward_id=place.reward_id, state=State.WAITING, pk__lt=place.pk)
    return before.count() + 1


def _lock_queue(reward_id: int) -> Reward:
    return Reward.objects.select_for_update(no_key=True).get(pk=reward_id)


def _is_over(reward: Reward, now: datetime) -> bool:
    ends = [end for end in (reward.starts_at, reward.offered_until) if end is not None]
    return not reward.is_active or any(end <= now for end in ends)


def _offer(reward_id: int, now: datetime) -> int:
    reward = Reward.objects.get(pk=reward_id)
    if not reward.is_on_offer(now) or _is_over(reward, now):
        return 0
    offered = 0
    waiting = WaitingPlace.objects.filter(reward=reward, state=State.WAITING, member__status=Member.Status.ACTIVE)
    for place in waiting.order_by("pk"):
        try:
            _set_aside(place)
        except NotEnoughStock:
            break
        _tell(place, reward, now)
        offered += 1
    return offered


def _tell(place: WaitingPlace, reward: Reward, now: datetime) -> None:
    until = now + timedelta(hours=reward.hold_hours)
    until = min(until, reward.starts_at) if reward.starts_at else until
    WaitingPlace.objects.filter(pk=place.pk).update(state=State.OFFERED, offered_at=now, offered_until=until)
    data = {"place": place.pk, "reward": reward.pk}
    write_event(kind=OFFERED, member_id=place.member_id, data=data, occurred_at=now)


def _settle(place: WaitingPlace, state: State, now: datetime) -> None:
    if place.state == State.OFFERED:
        _put_back(place)
    WaitingPlace.objects.filter(pk=place.pk).update(state=state, settled_at=now)


def _set_aside(place: WaitingPlace) -> None:
    key = f"waiting:{place.pk}:aside"
    adjust_stock(reward_id=place.reward_id, quantity=-1, reason="set aside for the queue", actor_id=None, key=key)


def _put_back(place: WaitingPlace) -> None:
    key = f"waiting:{place.pk}:back"
    adjust_stock(reward_id=place.reward_id, quantity=1, reason="back from the queue", actor_id=None, key=key)

"""Redeeming a reward: points, code, redemption and stock change together or not at all.

The order of locks is one for the whole product: the accounts of the member's pool by id, then lots, then a free code
(never waited for), then inserts, and the stock last, by a conditional update whose row count decides.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from django.db import connection, transaction
from django.db.models import Exists, OuterRef, Subquery

from members.accounts.models import Member
from members.events.log import NewEvent, write_event, write_events
from members.ledger import holds, pools, posting
from members.ledger.locking import lock_accounts
from members.lib.clock import database_now
from members.lib.codes import random_code
from members.lib.transactions import retried
from members.models import PointsAccount
from members.programme.models import Programme
from rewards.catalogue.availability import Reason, Why, missing_points, reasons_against
from rewards.catalogue.models import Reward, RewardLimit, RewardTierPrice
from rewards.codes.pool import NoCodesLeft, hand_out, set_aside
from rewards.redemption.models import Redemption
from rewards.redemption.offers import facts_of
from rewards.redemption.reasons import REDEMPTION
from rewards.redemption.states import State
from rewards.redemption.validity import validity
from rewards.stock.movements import SoldOut, take_one

Source = Redemption.Source

# What a gift obeys as well: who gives it decides about price, dates, tier and segment.
_ALSO_FOR_GIFTS = {Why.MEMBER_CLOSED, Why.LIMIT_REACHED, Why.SOLD_OUT, Why.NO_CODES}


class NotAvailable(Exception):
    """This member cannot have this reward now; ``reasons`` say why. Nothing was changed."""

    def __init__(self, reasons: list[Reason]) -> None:
        super().__init__(", ".join(reason.why for reason in reasons))
        self.reasons = reasons


class KeyAlreadyUsed(Exception):
    """The member has used this key for another reward."""


def redeem(
    *,
    member_id: int,
    reward_id: int,
    key: str,
    at: datetime | None = None,
    price_seen: int | None = None,
    source: Source = Source.PORTAL,
    store_id: int | None = None,
) -> Redemption:
    """Take the reward's points from the member and give the reward, once per member and key.

    A repeat with the same key returns the first redemption. ``price_seen`` is the price the member agreed to,
    in points; another price is refused. What the own points do not cover comes from members who share theirs.
    ``store_id`` is where it will be collected: the piece comes from that store's shelf, if it has one.

    A reward that costs money as well is HELD: the member's own points, piece and code are set aside for its hours
    (``held_until``); ``holding.capture_redemption`` ends that when the money is paid. The household does not help
    there, for it could not have its points back in full when they wait in vain.
    Raises NotAvailable with every reason, KeyAlreadyUsed, or Reward.DoesNotExist.
    """
    asked = _Asked(member_id, reward_id, key, at, price_seen, source, store_id)
    try:
        return _redeem(asked, is_inner=connection.in_atomic_block)
    except NotAvailable as refused:
        raise NotAvailable(_all_against(asked, refused.reasons)) from refused


@dataclass(frozen=True)
class _Asked:
    """What somebody asked for."""

    member_id: int
    reward_id: int
    key: str
    at: datetime | None
    price_seen: int | None
    source: Source
    store_id: int | None


@retried
def _redeem(asked: _Asked, *, is_inner: bool) -> Redemption:
    # A statement of its own: all reads below see what the holders of the lock before us have committed.
    pool = pools.lock_pool(asked.member_id)
    member, first = _member_and_first(asked.member_id, asked.reward_id, asked.key)
    if first is not None:
        return first
    now = asked.at or database_now()
    reward = _reward_with_terms(asked.reward_id)
    facts = facts_of(member=member, rewards=[reward], at=now, store_id=asked.store_id, only_terms=True)[reward.pk]
    _refuse_if_any(reasons_against(replace(facts, price_seen=asked.price_seen)))
    redemption = Redemption(
        member_id=member.pk, reward=reward, key=asked.key, points=facts.price, redeemed_at=now, source=asked.source
    )
    pay = _hold if reward.money_price is not None else _spend
    with _all_or_nothing(price=facts.price, is_inner=is_inner):
        pay(redemption, pool)
        return _exchange(redemption, asked.store_id, recorded_at=None if asked.at else now)


def _all_against(asked: _Asked, met: list[Reason]) -> list[Reason]:
    """Return all that speaks against it, for whoever was refused: what they met, and what a fresh look finds."""
    now = asked.at or database_now()
    reward = Reward.objects.select_related("minimum_tier").get(pk=asked.reward_id)
    member = Member.objects.get(pk=asked.member_id)
    facts = facts_of(member=member, rewards=[reward], at=now, store_id=asked.store_id)[reward.pk]
    found = reasons_against(replace(facts, price_seen=asked.price_seen))
    known = {reason.why for reason in found}
    if Why.OWN_POINTS_MISSING in known:
        met = [reason for reason in met if reason.why != Why.POINTS_MISSING]
    return [*(reason for reason in met if reason.why not in known), *found]


@retried
def give_reward(
    *,
    member_id: int,
    reward_id: int,
    key: str,
    source: Source,
    at: datetime | None = None,
    store_id: int | None = None,
) -> Redemption:
    """Give the reward for no points, once per member and key; a repeat returns the first redemption.

    Stock, codes, the limits of the member and a closed membership count as ever; price, dates of the offer, tier and
    segment do not: whoever gives has decided that, and money is not asked for. Give to several members in
    transactions of their own. Raises NotAvailable, KeyAlreadyUsed, PointsAccount.DoesNotExist or Reward.DoesNotExist.
    """
    if member_id not in lock_accounts([member_id]):
        raise PointsAccount.DoesNotExist(member_id)
    member, first = _member_and_first(member_id, reward_id, key)
    if first is not None:
        return first
    now = at or database_now()
    reward = Reward.objects.select_related("minimum_tier").get(pk=reward_id)
    facts = facts_of(member=member, rewards=[reward], at=now, store_id=store_id)[reward.pk]
    _refuse_if_any([reason for reason in reasons_against(facts) if reason.why in _ALSO_FOR_GIFTS])
    redemption = Redemption(member_id=member_id, reward=reward, key=key, points=0, redeemed_at=now, source=source)
    with _all_or_nothing(price=0, is_inner=True):
        return _exchange(redemption, store_id)


def open_up(redemption: Redemption, now: datetime) -> None:
    """Set what a redemption has once it is paid for: its dates, and that it is done where nothing is shown. Unsaved."""
    redemption.valid_from, redemption.valid_until = validity(redemption.reward, now)
    redemption.state = State.CAPTURED
    if not redemption.reward.behaviour.has_code:
        redemption.state, redemption.fulfilled_at = State.FULFILLED, now


def tell_redeemed(redemption: Redemption, now: datetime, *, recorded_at: datetime | None = None) -> None:
    """Write the event that the member has a reward; ``recorded_at`` is the database's clock where it was just read."""
    data = {"redemption": redemption.pk, "reward": redemption.reward_id, "points": redemption.points}
    write_events([NewEvent("reward.redeemed", redemption.member_id, data, now)], now=recorded_at)


def _member_and_first(member_id: int, reward_id: int, key: str) -> tuple[Member, Redemption | None]:
    """Return the member, and the redemption made with this key before."""
    made = Redemption.objects.filter(member_id=OuterRef("pk"), key=key).values("pk")[:1]
    member = Member.objects.annotate(first_id=Subquery(made)).get(pk=member_id)
    first_id: int | None = vars(member)["first_id"]
    if first_id is None:
        return member, None
    first = Redemption.objects.get(pk=first_id)
    if first.reward_id != reward_id:
        raise KeyAlreadyUsed(key)
    return member, first


def _reward_with_terms(reward_id: int) -> Reward:
    """Return the reward, which knows whether it has limits and prices of tiers: most have none to look for."""
    limits, prices = (model.objects.filter(reward=OuterRef("pk")) for model in (RewardLimit, RewardTierPrice))
    rewards = Reward.objects.select_related("minimum_tier")
    return rewards.annotate(has_limits=Exists(limits), has_tier_prices=Exists(prices)).get(pk=reward_id)


def _refuse_if_any(reasons: list[Reason]) -> None:
    if reasons:
        raise NotAvailable(reasons)


@contextmanager
def _all_or_nothing(*, price: int, is_inner: bool) -> Iterator[None]:
    """Turn what the last steps meet into reasons, and leave nothing behind in a caller's transaction (``is_inner``)."""
    try:
        with transaction.atomic(savepoint=is_inner):
            yield
    except posting.InsufficientPoints as short:
        raise NotAvailable([missing_points(needed=price, spendable=short.spendable)]) from short
    except posting.AccountUnderReview as blocked:
        raise NotAvailable([Reason(Why.ACCOUNT_UNDER_REVIEW)]) from blocked
    except NoCodesLeft as empty:
        raise NotAvailable([Reason(Why.NO_CODES)]) from empty
    except SoldOut as empty:
        raise NotAvailable([Reason(Why.SOLD_OUT)]) from empty


def _spend(redemption: Redemption, pool: pools.Pool) -> None:
    redemption.entry = pools.spend_from_pool(
        pool=pool,
        points=redemption.points,
        key=f"redemption:{redemption.public_id}",
        reason=REDEMPTION,
        data={"reward": redemption.reward_id, "names": redemption.reward.names},
        at=redemption.redeemed_at,
    )


def _hold(redemption: Redemption, _pool: pools.Pool) -> None:
    reward, now = redemption.reward, redemption.redeemed_at
    redemption.state = State.HELD
    redemption.held_until = now + timedelta(hours=reward.hold_hours)
    redemption.money, redemption.currency = reward.money_price, reward.currency or Programme.current().currency
    redemption.hold = holds.hold(
        member_id=redemption.member_id,
        points=redemption.points,
        key=f"redemption:{redemption.public_id}:hold",
        reason=REDEMPTION,
        data={"reward": reward.pk, "names": reward.names},
        expires_at=redemption.held_until,
        at=now,
    )


def _exchange(redemption: Redemption, store_id: int | None, recorded_at: datetime | None = None) -> Redemption:
    reward, now = redemption.reward, redemption.redeemed_at
    if redemption.state == State.HELD:
        _set_aside(redemption, now)
    else:
        _hand_over(redemption, now, recorded_at)
    if not reward.is_unlimited:
        take_one(reward_id=reward.pk, redemption_id=redemption.pk, at=now, store_id=store_id)
    return redemption


def _set_aside(redemption: Redemption, now: datetime) -> None:
    if redemption.reward.needs_code_pool:
        redemption.pool_code = set_aside(reward_id=redemption.reward_id)
    redemption.save(force_insert=True)
    data = {"redemption": redemption.pk, "reward": redemption.reward_id, "points": redemption.points}
    write_event(kind="redemption.held", member_id=redemption.member_id, data=data, occurred_at=now)


def _hand_over(redemption: Redemption, now: datetime, recorded_at: datetime | None) -> None:
    open_up(redemption, now)
    if redemption.reward.needs_code_pool:
        code = hand_out(reward_id=redemption.reward_id, at=now)
        redemption.pool_code, redemption.code = code, code.code
    elif redemption.reward.behaviour.has_code:
        redemption.code = random_code()
    redemption.save(force_insert=True)
    tell_redeemed(redemption, now, recorded_at=recorded_at)

"""Redeeming a reward: points, code, redemption and stock change together or not at all.

The order of locks is one for the whole product: the accounts of the member's pool by id, then lots, then a free code
(never waited for), then inserts, and the stock last, by a conditional update whose row count decides.
"""

from dataclasses import replace
from datetime import datetime, timedelta

from django.db import transaction

from members.accounts.models import Member
from members.events.log import write_event
from members.ledger import pools, posting
from members.lib import periods
from members.lib.clock import database_now
from members.lib.codes import random_code
from members.lib.transactions import retried
from members.programme.models import Programme
from rewards.catalogue.availability import Reason, Why, missing_points, reasons_against
from rewards.catalogue.models import Reward
from rewards.codes.models import Code
from rewards.codes.pool import NoCodesLeft, hand_out
from rewards.redemption.models import Redemption
from rewards.redemption.offers import facts_of
from rewards.redemption.reasons import REDEMPTION
from rewards.redemption.states import State
from rewards.stock.movements import SoldOut, take_one


class NotAvailable(Exception):
    """This member cannot have this reward now; ``reasons`` say why. Nothing was changed."""

    def __init__(self, reasons: list[Reason]) -> None:
        super().__init__(", ".join(reason.why for reason in reasons))
        self.reasons = reasons


class KeyAlreadyUsed(Exception):
    """The member has used this key for another reward."""


@retried
def redeem(
    *, member_id: int, reward_id: int, key: str, at: datetime | None = None, price_seen: int | None = None
) -> Redemption:
    """Take the reward's points from the member and give the reward, once per member and key.

    A repeat with the same key returns the first redemption. ``price_seen`` is the price the member agreed to,
    in points; another price is refused. What the own points do not cover comes from members who share theirs.
    Raises NotAvailable with every reason, KeyAlreadyUsed, or Reward.DoesNotExist.
    """
    # A statement of its own: all reads below see what the holders of the lock before us have committed.
    pool = pools.lock_pool(member_id)
    first = Redemption.objects.filter(member_id=member_id, key=key).first()
    if first is not None:
        if first.reward_id != reward_id:
            raise KeyAlreadyUsed(key)
        return first
    now = at or database_now()
    reward = Reward.objects.select_related("minimum_tier").get(pk=reward_id)
    facts = facts_of(member=Member.objects.get(pk=member_id), rewards=[reward], at=now)[reward.pk]
    _refuse_if_any(reasons_against(replace(facts, price_seen=price_seen)))
    # Of its own, so that a refusal by the last steps leaves nothing behind in a caller's transaction either.
    with transaction.atomic():
        return _exchange(pool, reward, facts.price, key, now)


def _refuse_if_any(reasons: list[Reason]) -> None:
    if reasons:
        raise NotAvailable(reasons)


def _exchange(pool: pools.Pool, reward: Reward, price: int, key: str, now: datetime) -> Redemption:
    redemption = Redemption(
        member_id=pool.member_id, reward=reward, key=key, points=price, redeemed_at=now,
        valid_until=_valid_until(reward, now),
    )  # fmt: skip
    try:
        redemption.entry = pools.spend_from_pool(
            pool=pool,
            points=price,
            key=f"redemption:{redemption.public_id}",
            reason=REDEMPTION,
            data={"reward": reward.pk, "names": reward.names},
            at=now,
        )
        _put_code(redemption, reward, now)
        _write(redemption, now)
        if not reward.is_unlimited:
            take_one(reward_id=reward.pk, redemption_id=redemption.pk, at=now)
    except posting.InsufficientPoints as short:
        raise NotAvailable([missing_points(needed=price, spendable=short.spendable)]) from short
    except posting.AccountUnderReview as blocked:
        raise NotAvailable([Reason(Why.ACCOUNT_UNDER_REVIEW)]) from blocked
    except NoCodesLeft as empty:
        raise NotAvailable([Reason(Why.NO_CODES)]) from empty
    except SoldOut as empty:
        raise NotAvailable([Reason(Why.SOLD_OUT)]) from empty
    return redemption


def _valid_until(reward: Reward, now: datetime) -> datetime | None:
    """Return the exclusive end: the midnight after the last day, which counts in full."""
    if reward.valid_days is None:
        return None
    zone = Programme.current().tz
    return periods.start_of_day(periods.local_day(now, zone) + timedelta(days=reward.valid_days + 1), zone)


def _put_code(redemption: Redemption, reward: Reward, now: datetime) -> None:
    if reward.needs_code_pool:
        code: Code = hand_out(reward_id=reward.pk, at=now)
        redemption.pool_code, redemption.code = code, code.code
    elif reward.behaviour.has_code:
        redemption.code = random_code()


def _write(redemption: Redemption, now: datetime) -> None:
    if not redemption.reward.behaviour.has_code:
        redemption.state, redemption.fulfilled_at = State.FULFILLED, now
    redemption.save(force_insert=True)
    write_event(
        kind="reward.redeemed",
        member_id=redemption.member_id,
        data={"redemption": redemption.pk, "reward": redemption.reward_id, "points": redemption.points},
        occurred_at=now,
    )

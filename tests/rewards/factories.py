"""Members with points, and rewards with stock and codes."""

import itertools
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from members.accounts.enrolment import enrol_member
from members.accounts.models import Member, User
from members.ledger import posting
from members.tiers.models import Standing, Tier, TierSet
from rewards.catalogue.models import Reward, RewardLimit
from rewards.codes.pool import upload_codes
from rewards.redemption.models import Redemption
from rewards.redemption.redeeming import redeem
from rewards.stock.movements import adjust_stock

NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)

_numbers = itertools.count(1)


def make_member(*, points: int = 0, user: User | None = None) -> Member:
    """Return a member with so many points."""
    member = enrol_member(source="test", joined_at=NOON, user=user)
    posting.open_accounts([member.pk])
    if points:
        posting.grant(member_id=member.pk, points=points, key=f"start:{member.pk}", reason="start", at=NOON)
    return member


def make_login(**fields: Any) -> User:
    """Return a login."""
    return User.objects.create_user(email=f"person{next(_numbers)}@example.com", **fields)


def make_reward(
    *, stock: int | None = 10, codes: Iterable[str] = (), limits: dict[str, int] | None = None, **fields: Any
) -> Reward:
    """Return a reward for 100 points; ``stock`` None counts nothing, ``codes`` fill its pool, ``limits`` by period."""
    codes = list(codes)
    defaults: dict[str, Any] = {"kind": "coupon", "name_en": "Coffee", "points": 100}
    defaults |= {"is_unlimited": stock is None, "needs_code_pool": bool(codes)}
    reward = Reward.objects.create(**(defaults | fields))
    for period, times in (limits or {}).items():
        RewardLimit.objects.create(reward=reward, period=period, times=times)
    if stock:
        adjust_stock(reward_id=reward.pk, quantity=stock, reason="delivery", actor_id=None)
    if codes:
        upload_codes(reward_id=reward.pk, lines=codes, actor_id=None)
    return reward


def make_event(*, seats: int = 1, **fields: Any) -> Reward:
    """Return an event with so many seats, in the far future."""
    starts = {"starts_at": datetime(2040, 5, 1, 18, tzinfo=UTC)}
    return make_reward(stock=seats, **({"kind": "event", "name_en": "Tasting"} | starts | fields))


def make_redemption(*, member: Member, reward: Reward, key: str = "k1", at: datetime = NOON) -> Redemption:
    """Return a redemption made through the front door."""
    return redeem(member_id=member.pk, reward_id=reward.pk, key=key, at=at)


def make_tiers() -> list[Tier]:
    """Return the tiers Basic and Gold of a ladder in force."""
    ladder = TierSet.objects.filter(is_current=True).first()
    if ladder is None:
        ladder = TierSet.objects.create(version=1, is_current=True)
    found = [("basic", 0, 0), ("gold", 7, 999_999)]
    return [
        ladder.tiers.get_or_create(
            code=f"t-{code}", defaults={"rank": rank + 20, "name_en": code.title(), "threshold": limit}
        )[0]
        for code, rank, limit in found
    ]


def stand(member: Member, tier: Tier) -> None:
    """Put a member into a tier."""
    Standing.objects.filter(member=member, until_at=None).update(until_at=NOON)
    Standing.objects.create(member=member, tier=tier, from_at=NOON, why=Standing.Why.REACHED)

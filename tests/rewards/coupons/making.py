"""Makers of giveaways, issues and presents."""

from datetime import timedelta
from typing import Any

from members.accounts.models import Member
from rewards.catalogue.models import Reward
from rewards.coupons.models import Giveaway, Present
from rewards.coupons.presents import pass_on
from rewards.redemption.models import Redemption
from rewards.redemption.redeeming import Source, give_reward
from tests.rewards.factories import NOON, make_member, make_reward


def make_giveaway(reward: Reward | None = None, **fields: Any) -> Giveaway:
    """Return a giveaway that is open at noon for a day."""
    defaults = {"opens_at": NOON - timedelta(hours=12), "closes_at": NOON + timedelta(hours=12)}
    return Giveaway.objects.create(reward=reward or make_reward(stock=None), **(defaults | fields))


def make_coupon(member: Member | None = None, reward: Reward | None = None, key: str = "given") -> Redemption:
    """Return a coupon that was sent to a member and may be passed on."""
    member = member or make_member()
    reward = reward or make_reward(stock=None, is_giftable=True, valid_days=30)
    return give_reward(member_id=member.pk, reward_id=reward.pk, key=key, source=Source.SENT, at=NOON)


def make_present(coupon: Redemption | None = None) -> tuple[Present, str]:
    """Return a link on its way, and its token."""
    coupon = coupon or make_coupon()
    return pass_on(redemption_id=coupon.pk, member_id=coupon.member_id, at=NOON)

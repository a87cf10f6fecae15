"""Coupons of the demonstration: one issue, one giveaway, one code to type."""

from datetime import datetime, timedelta
from typing import Any

from members.accounts.models import Member
from rewards.catalogue.models import Reward
from rewards.codes.models import Code
from rewards.codes.shared import make_shared_code
from rewards.coupons.issuing import give_range, prepare_list, start_issue
from rewards.coupons.models import CouponIssue, Giveaway

# Not on the shelf: these are given, not bought.
SENT: dict[str, Any] = {
    "name_en": "3.00 off for you",
    "name_zh_hans": "专属 3 英镑优惠券",
    "name_zh_hant": "專屬 3 英鎊優惠券",
    "money_off": 300,
    "minimum_purchase": 1500,
    "stacking": Reward.Stacking.ALONE,
    "is_giftable": True,
}
CLAIMED: dict[str, Any] = {
    "name_en": "A pot of tea on us",
    "name_zh_hans": "请您喝一壶茶",
    "name_zh_hant": "請您喝一壺茶",
}
TYPED: dict[str, Any] = {
    "name_en": "Free gift wrapping",
    "name_zh_hans": "免费礼品包装",
    "name_zh_hant": "免費禮品包裝",
}
WORD = "LANTERN"
REASON = "Thank you for a year with us"


def load_coupons(member: Member, now: datetime) -> None:
    """Make them, each once."""
    _issue(_reward(SENT), member, now)
    giveaway = {"opens_at": now - timedelta(days=1), "closes_at": now + timedelta(days=30), "total": 200}
    Giveaway.objects.get_or_create(reward=_reward(CLAIMED), defaults=giveaway)
    if not Code.objects.filter(code=WORD).exists():
        make_shared_code(reward_id=_reward(TYPED).pk, code=WORD, uses_allowed=500, actor_id=None)


def _reward(texts: dict[str, Any]) -> Reward:
    fields = {"kind": "coupon", "points": 1, "is_active": False, "is_unlimited": True, "valid_days": 60, **texts}
    return Reward.objects.get_or_create(name_en=texts["name_en"], defaults=fields)[0]


def _issue(reward: Reward, member: Member, now: datetime) -> None:
    issue = CouponIssue.objects.filter(reward=reward).first()
    if issue is None:
        lines = [member.number, "nobody@example.com"]
        issue = prepare_list(reward_id=reward.pk, lines=lines, reason=REASON, actor_id=None, at=now)
    start_issue(issue_id=issue.pk, actor_id=None, at=now)
    while give_range(issue_id=issue.pk, limit=100, at=now):
        pass

"""Giveaways: whoever comes while they are open, and a word typed from a poster."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from django.db import transaction
from django.db.models import F, Q

from members.accounts.access import history_ids
from members.accounts.models import SegmentMembership
from members.ledger.locking import lock_accounts
from members.lib.clock import database_now
from members.lib.transactions import committed, retried
from members.tiers.standing import current_standing
from rewards.codes.shared import UnknownCode
from rewards.coupons.models import CodeTries, Giveaway, GiveawayClaim
from rewards.redemption.claiming import claim_by_code
from rewards.redemption.models import Redemption
from rewards.redemption.redeeming import KeyAlreadyUsed, Source, give_reward

WRONG_CODES = 10
WRONG_CODES_WITHIN = timedelta(hours=1)


class WhyNot(StrEnum):
    """What stands in the way of a claim; the values are for machines and never change."""

    NOT_OPEN = "not_open"
    OVER = "over"
    TIER = "tier"
    SEGMENT = "segment"
    TAKEN = "taken"
    ALL_GONE = "all_gone"


class NotClaimable(Exception):
    """This member cannot claim this giveaway now; nothing was changed."""

    def __init__(self, why: WhyNot) -> None:
        super().__init__(why)
        self.why = why


class TooManyWrongCodes(Exception):
    """The member typed so many wrong codes that for the rest of the hour none is looked at."""


@dataclass(frozen=True)
class Chance:
    """One giveaway as one member sees it."""

    giveaway: Giveaway
    why_not: WhyNot | None


def claim_centre(*, member_id: int, at: datetime) -> list[Chance]:
    """Return the giveaways that are open and meant for the member, the one that closes first at the top.

    Those for other tiers are shown with the reason, those for other segments are not.
    """
    found = Giveaway.objects.open(at).select_related("reward", "minimum_tier").order_by("closes_at", "pk")
    chances = [Chance(giveaway, _why_not(giveaway, member_id, at)) for giveaway in found]
    return [chance for chance in chances if chance.why_not != WhyNot.SEGMENT]


@retried
def claim_giveaway(*, member_id: int, giveaway_id: int, key: str, at: datetime | None = None) -> Redemption:
    """Give the member a piece of an open giveaway, once per member and key; a repeat returns the first redemption.

    The member's account is locked, so own claims are counted one after the other; the last piece of all is given once
    by a conditional update, the last step. Raises NotClaimable, redeeming.NotAvailable or KeyAlreadyUsed.
    """
    lock_accounts([member_id])
    giveaway = Giveaway.objects.select_related("minimum_tier").get(pk=giveaway_id)
    first = Redemption.objects.filter(member_id=member_id, key=key).first()
    if first is not None:
        if first.reward_id != giveaway.reward_id:
            raise KeyAlreadyUsed(key)
        return first
    now = at or database_now()
    why_not = _why_not(giveaway, member_id, now)
    if why_not is not None:
        raise NotClaimable(why_not)
    # Of its own, so that a giveaway that is gone leaves nothing behind in a caller's transaction either.
    with transaction.atomic():
        given = give_reward(member_id=member_id, reward_id=giveaway.reward_id, key=key, source=Source.CLAIMED, at=now)
        GiveawayClaim.objects.create(giveaway=giveaway, member_id=member_id, redemption=given, at=now)
        _count(giveaway_id)
    return given


def type_code(*, member_id: int, typed: str, key: str, at: datetime | None = None) -> Redemption:
    """Give the reward of a campaign code that a member typed, once per key; wrong codes are counted.

    The tenth wrong one within an hour stops looking at codes for the rest of it. Raises TooManyWrongCodes and what
    ``claim_by_code`` raises.
    """
    now = at or database_now()
    tries = CodeTries.objects.filter(member_id=member_id, since__gt=now - WRONG_CODES_WITHIN).first()
    if tries is not None and tries.wrong >= WRONG_CODES:
        raise TooManyWrongCodes
    try:
        return claim_by_code(member_id=member_id, typed=typed, key=key, at=at)
    except UnknownCode:
        _count_wrong(member_id, now)
        raise


@committed
def _count_wrong(member_id: int, now: datetime) -> None:
    CodeTries.objects.bulk_create([CodeTries(member_id=member_id, since=now)], ignore_conflicts=True)
    own = CodeTries.objects.filter(member_id=member_id)
    own.filter(since__lte=now - WRONG_CODES_WITHIN).update(since=now, wrong=0)
    own.update(wrong=F("wrong") + 1)


def _count(giveaway_id: int) -> None:
    left = Giveaway.objects.filter(Q(total=None) | Q(claimed__lt=F("total")), pk=giveaway_id)
    if not left.update(claimed=F("claimed") + 1):
        raise NotClaimable(WhyNot.ALL_GONE)


def _why_not(giveaway: Giveaway, member_id: int, now: datetime) -> WhyNot | None:
    if not giveaway.is_active or now < giveaway.opens_at:
        return WhyNot.NOT_OPEN
    if now >= giveaway.closes_at:
        return WhyNot.OVER
    if not _is_in(giveaway, member_id):
        return WhyNot.SEGMENT
    if not _has_rank(giveaway, member_id):
        return WhyNot.TIER
    if giveaway.claims.filter(member_id__in=history_ids(member_id)).count() >= giveaway.per_member:
        return WhyNot.TAKEN
    return WhyNot.ALL_GONE if giveaway.total is not None and giveaway.claimed >= giveaway.total else None


def _is_in(giveaway: Giveaway, member_id: int) -> bool:
    if not giveaway.segment:
        return True
    return SegmentMembership.objects.filter(segment=giveaway.segment, member_id=member_id).exists()


def _has_rank(giveaway: Giveaway, member_id: int) -> bool:
    if giveaway.minimum_tier is None:
        return True
    standing = current_standing(member_id)
    return standing is not None and standing.tier.rank >= giveaway.minimum_tier.rank

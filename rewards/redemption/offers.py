"""What speaks against each reward for one member: the facts, read here for pages and for redeeming alike."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import cast
from zoneinfo import ZoneInfo

from django.db.models import Count, Exists, OuterRef, Q, Sum

from members.accounts.models import Member, SegmentMembership
from members.ledger.pools import shared_points
from members.ledger.statements import spendable_points
from members.lib import periods
from members.programme.models import Programme
from members.tiers.standing import current_standing
from rewards.catalogue import wording
from rewards.catalogue.availability import Facts, Limit, Reason, Why, reasons_against
from rewards.catalogue.models import Reward, RewardLimit, RewardTierPrice
from rewards.codes.models import Code
from rewards.redemption.models import Redemption
from rewards.stock.models import RewardStock


@dataclass(frozen=True)
class Offer:
    """One reward as one member (or a visitor) sees it."""

    reward: Reward
    reasons: list[Reason]
    spendable: int
    # In points, for this member.
    price: int

    @property
    def is_open(self) -> bool:
        """Whether the member can have it now."""
        return not self.reasons

    @property
    def missing(self) -> int:
        """How many points are missing when that is the only obstacle, else 0."""
        if [reason.why for reason in self.reasons] != [Why.POINTS_MISSING]:
            return 0
        return cast(int, self.reasons[0].figures["missing"])

    @property
    def collected(self) -> int:
        """How many points of the price the member has when only points are missing."""
        return self.price - self.missing

    @property
    def obstacle(self) -> str:
        """The first reason in the active language; empty when only points are missing or nothing is."""
        return "" if self.missing or self.is_open else wording.explain(self.reasons[0])

    @property
    def explained(self) -> list[str]:
        """The reasons in the active language."""
        return [wording.explain(reason) for reason in self.reasons]


def shelf(*, member: Member | None, at: datetime, category: str = "") -> list[Offer]:
    """Return the visible rewards in their order, at most 9 queries; a visitor gets no personal reasons."""
    rewards = Reward.objects.visible(at).select_related("category", "minimum_tier").in_order()
    if category:
        rewards = rewards.filter(category__slug=category)
    return offers(member=member, rewards=list(rewards), at=at)


def offers(*, member: Member | None, rewards: Sequence[Reward], at: datetime) -> list[Offer]:
    """Return what speaks against each of the rewards now; the queries do not grow with their number."""
    facts = facts_of(member=member, rewards=rewards, at=at)
    return [
        Offer(
            reward,
            reasons_against(facts[reward.pk]),
            facts[reward.pk].spendable if member else 0,
            facts[reward.pk].price,
        )
        for reward in rewards
    ]


def facts_of(
    *,
    member: Member | None,
    rewards: Sequence[Reward],
    at: datetime,
    store_id: int | None = None,
    only_terms: bool = False,
) -> dict[int, Facts]:
    """Read the facts about each reward, by its id. Redeeming calls it under the member's account lock.

    ``store_id`` is where the reward would be collected; without it what is left anywhere counts for those that are
    collected, the common count for the others. With ``only_terms`` neither stock, codes nor points are read and all are
    taken to be enough: whoever takes them next finds out.
    """
    on_hand = {} if only_terms else _on_hand(rewards, store_id)
    without_codes = set() if only_terms else _without_codes(rewards)
    facts = {
        reward.pk: Facts(
            now=at,
            price=reward.points,
            spendable=reward.points,
            is_switched_on=reward.is_active,
            offered_from=reward.offered_from,
            offered_until=reward.offered_until,
            on_hand=on_hand.get(reward.pk),
            has_code=reward.pk not in without_codes,
            needs_hold=reward.money_price is not None,
            is_store_allowed=store_id is None or _is_allowed(reward, store_id),
        )
        for reward in rewards
    }
    return facts if member is None else _with_member(facts, member, rewards, at, only_terms=only_terms)


def _with_member(
    facts: dict[int, Facts], member: Member, rewards: Sequence[Reward], at: datetime, *, only_terms: bool
) -> dict[int, Facts]:
    own, spendable = (None, None) if only_terms else _points_of(member, at)
    prices = _tier_prices(rewards)
    rank = _rank(member, rewards, prices)
    price = prices_at(rank, rewards, prices)
    limits = _limits(member, rewards, at)
    segments = _segments(member, rewards)
    return {
        reward.pk: replace(
            facts[reward.pk],
            price=price[reward.pk],
            spendable=price[reward.pk] if spendable is None else spendable,
            own_points=own,
            is_member_active=member.status == Member.Status.ACTIVE,
            tier_rank=rank,
            needed_rank=reward.minimum_tier.rank if reward.minimum_tier else 0,
            needed_tier=reward.minimum_tier.name if reward.minimum_tier else "",
            limits=limits.get(reward.pk, ()),
            is_in_segment=not reward.segment or reward.segment in segments,
        )
        for reward in rewards
    }


def _points_of(member: Member, at: datetime) -> tuple[int, int]:
    """Return the member's own points, and those with what others share."""
    own = spendable_points(member.pk, at)
    return own, own + sum(share.points for share in shared_points(member.pk, at))


def _tier_prices(rewards: Sequence[Reward]) -> list[RewardTierPrice]:
    priced = [reward.pk for reward in rewards if getattr(reward, "has_tier_prices", True)]
    if not priced:
        return []
    return list(RewardTierPrice.objects.filter(reward__in=priced).select_related("tier"))


def prices_at(rank: int, rewards: Sequence[Reward], prices: Sequence[RewardTierPrice]) -> dict[int, int]:
    """Return each reward's price in points for a member whose tier has this rank."""
    found = {reward.pk: reward.points for reward in rewards}
    for price in sorted(prices, key=lambda price: price.tier.rank):
        if price.tier.rank <= rank:
            found[price.reward_id] = price.points
    return found


def _rank(member: Member, rewards: Sequence[Reward], prices: Sequence[RewardTierPrice]) -> int:
    if not prices and not any(reward.minimum_tier_id for reward in rewards):
        return 0
    standing = current_standing(member.pk)
    return standing.tier.rank if standing is not None else 0


def _segments(member: Member, rewards: Sequence[Reward]) -> set[str]:
    wanted = {reward.segment for reward in rewards if reward.segment}
    if not wanted:
        return set()
    return set(SegmentMembership.objects.filter(member=member, segment__in=wanted).values_list("segment", flat=True))


def _limits(member: Member, rewards: Sequence[Reward], at: datetime) -> dict[int, tuple[Limit, ...]]:
    limited = [reward.pk for reward in rewards if getattr(reward, "has_limits", True)]
    rows = list(RewardLimit.objects.filter(reward__in=limited).order_by("pk")) if limited else []
    if not rows:
        return {}
    zone = Programme.current().tz
    mine = Redemption.objects.taken_by(member.pk).counting().filter(reward__in={row.reward_id for row in rows})
    counts = {
        period: Count("pk", filter=Q(redeemed_at__gte=start)) if (start := _start_of(period, at, zone)) else Count("pk")
        for period in {row.period for row in rows}
    }
    taken: dict[tuple[int, str], int] = {
        (row["reward"], period): row[period]
        for row in cast(Iterable[dict[str, int]], mine.values("reward").annotate(**counts).order_by())
        for period in counts
    }
    found: dict[int, tuple[Limit, ...]] = {}
    for row in rows:
        used = taken.get((row.reward_id, row.period), 0)
        found[row.reward_id] = (*found.get(row.reward_id, ()), Limit(row.period, row.times, used))
    return found


def _start_of(period: str, at: datetime, zone: ZoneInfo) -> datetime | None:
    """Return the first instant of the calendar period, in the programme's zone; None for all time."""
    day = periods.local_day(at, zone)
    first = {
        Reward.Period.DAY: day,
        Reward.Period.WEEK: day - timedelta(days=day.weekday()),
        Reward.Period.MONTH: day.replace(day=1),
        Reward.Period.YEAR: day.replace(month=1, day=1),
    }.get(Reward.Period(period))
    return periods.start_of_day(first, zone) if first else None


def _on_hand(rewards: Sequence[Reward], store_id: int | None) -> dict[int, int]:
    counted = [reward for reward in rewards if not reward.is_unlimited]
    if not counted:
        return {}
    rows = RewardStock.objects.filter(reward__in=counted).values_list("reward_id", "store_id")
    left: dict[int, dict[int | None, int]] = {}
    for reward_id, place, on_hand in rows.annotate(left=Sum("on_hand")).order_by():
        left.setdefault(reward_id, {})[place] = on_hand
    return {reward.pk: _left_for(reward, left.get(reward.pk, {}), store_id) for reward in counted}


def _left_for(reward: Reward, left: dict[int | None, int], store_id: int | None) -> int:
    if store_id is None and reward.handover == Reward.Handover.COLLECT:
        return sum(left.values())
    return left.get(store_id if store_id in left else None, 0)


def _is_allowed(reward: Reward, store_id: int) -> bool:
    """Whether the reward may be collected or used at a store: everywhere, unless stores are named."""
    named = set(reward.stores.values_list("pk", flat=True))
    return not named or store_id in named


def _without_codes(rewards: Sequence[Reward]) -> set[int]:
    """Return the rewards whose pool is empty; only looks for one free code each, however large the pools."""
    pooled = [reward.pk for reward in rewards if reward.needs_code_pool]
    if not pooled:
        return set()
    free = Code.objects.filter(reward=OuterRef("pk"), state=Code.State.FREE)
    return set(Reward.objects.filter(~Exists(free), pk__in=pooled).values_list("pk", flat=True))

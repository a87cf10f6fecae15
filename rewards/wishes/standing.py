"""How wishes stand now, for many members at once: do the points suffice, and can the reward be had at all?"""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import NamedTuple

from members.accounts.models import Member, SegmentMembership
from members.households.sharing import helped_members
from members.ledger.pools import pooled_points
from members.ledger.statements import spendable_of
from members.tiers.standing import current_ranks
from rewards.catalogue.availability import reasons_against
from rewards.catalogue.models import Reward, RewardTierPrice
from rewards.redemption.offers import facts_of, prices_at
from rewards.wishes.models import Wish


class Stand(NamedTuple):
    """One wish at one instant. Affordable is told apart from in stock: either may turn first."""

    is_affordable: bool
    is_in_stock: bool


def stand_of(wishes: Sequence[Wish], *, at: datetime) -> dict[tuple[int, int], Stand]:
    """Return how each wish stands, by member and reward. The queries do not grow with the wishes.

    In stock is what anybody could have now; affordable is what is offered to this member at a price the points
    suffice for, those of the household included. Members of households that share cost a few queries each.
    """
    rewards = {reward.pk: reward for reward in _rewards_of(wishes)}
    facts = facts_of(member=None, rewards=list(rewards.values()), at=at)
    prices = list(RewardTierPrice.objects.filter(reward__in=rewards).select_related("tier"))
    people = _People({wish.member_id for wish in wishes}, at)
    found = {}
    for wish in wishes:
        reward = rewards[wish.reward_id]
        rank = people.ranks.get(wish.member_id, 0)
        price = prices_at(rank, [reward], [each for each in prices if each.reward_id == reward.pk])[reward.pk]
        is_open = reward.is_on_offer(at) and people.may_have(wish.member_id, reward)
        found[wish.member_id, reward.pk] = Stand(
            is_affordable=is_open and people.points.get(wish.member_id, 0) >= price,
            is_in_stock=reward.is_on_offer(at) and not reasons_against(facts[reward.pk]),
        )
    return found


def _rewards_of(wishes: Sequence[Wish]) -> list[Reward]:
    return list(Reward.objects.filter(pk__in={wish.reward_id for wish in wishes}).select_related("minimum_tier"))


class _People:
    """Points, ranks and segments of some members."""

    def __init__(self, member_ids: Collection[int], at: datetime) -> None:
        self.points = spendable_of(member_ids, at)
        self.points |= {pk: pooled_points(pk, at) for pk in helped_members(member_ids)}
        self.ranks = current_ranks(member_ids)
        self.segments = set(SegmentMembership.objects.filter(member__in=member_ids).values_list("member", "segment"))
        active = Member.objects.active().filter(pk__in=member_ids)
        self.active = set(active.values_list("pk", flat=True))

    def may_have(self, member_id: int, reward: Reward) -> bool:
        """Tell whether membership, tier and segment let the member have it."""
        needed = reward.minimum_tier.rank if reward.minimum_tier else 0
        is_invited = not reward.segment or (member_id, reward.segment) in self.segments
        return member_id in self.active and is_invited and self.ranks.get(member_id, 0) >= needed

"""The wish list of a member: put on, taken off, read, and joined when two members become one."""

from collections.abc import Collection
from datetime import datetime

from members.accounts.merging import Merge, merge_step
from members.lib.transactions import retried
from rewards.catalogue.models import Reward
from rewards.wishes.models import Wish
from rewards.wishes.standing import stand_of


@retried
def add_wish(*, member_id: int, reward_id: int, at: datetime) -> None:
    """Put a visible reward on the member's list, once. Raises Reward.DoesNotExist.

    What is already so is no news: only what turns to yes afterwards is told.
    """
    reward = Reward.objects.visible(at).get(pk=reward_id)
    wish = Wish(member_id=member_id, reward=reward, wished_at=at)
    [stand] = stand_of([wish], at=at).values()
    wish.is_affordable, wish.is_in_stock = stand
    Wish.objects.bulk_create([wish], ignore_conflicts=True)


@retried
def remove_wish(*, member_id: int, reward_id: int) -> None:
    """Take a reward off the member's list; nothing happens when it is not there."""
    Wish.objects.filter(member_id=member_id, reward_id=reward_id).delete()


def wished_among(*, member_id: int, reward_ids: Collection[int]) -> set[int]:
    """Return which of these rewards the member wishes for."""
    wishes = Wish.objects.filter(member_id=member_id, reward_id__in=reward_ids)
    return set(wishes.values_list("reward_id", flat=True))


def wished_rewards(*, member_id: int, at: datetime) -> list[Reward]:
    """Return what is on the member's list and still visible, the newest wish first."""
    wishes = Wish.objects.filter(member_id=member_id, reward__in=Reward.objects.visible(at))
    read = wishes.select_related("reward__category", "reward__minimum_tier").prefetch_related(
        "reward__tier_prices__tier"
    )
    return [wish.reward for wish in read.order_by("-wished_at", "-pk")]


@merge_step(42)
def join_wishes(merge: Merge) -> None:
    """Let the survivor wish for what either wished for."""
    of_survivor = Wish.objects.filter(member_id=merge.survivor_id).values_list("reward_id", flat=True)
    of_loser = Wish.objects.filter(member_id=merge.loser_id)
    of_loser.exclude(reward_id__in=list(of_survivor)).update(member_id=merge.survivor_id)
    of_loser.delete()

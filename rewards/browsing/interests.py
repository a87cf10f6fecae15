"""Choosing interests: the only writer of them."""

from collections.abc import Collection
from datetime import datetime

from members.accounts.merging import Merge, merge_step
from members.lib.transactions import retried
from rewards.browsing.models import Interest
from rewards.catalogue.models import Category


def interests_of(member_id: int) -> set[int]:
    """Return the ids of the categories that the member wants to see first."""
    return set(Interest.objects.filter(member_id=member_id).values_list("category_id", flat=True))


@retried
def choose_interests(*, member_id: int, category_ids: Collection[int], at: datetime) -> None:
    """Make these categories the member's interests, and no others; a repeat changes nothing.

    Ids of categories that do not exist are passed over.
    """
    wanted = set(Category.objects.filter(pk__in=category_ids).values_list("pk", flat=True))
    Interest.objects.filter(member_id=member_id).exclude(category_id__in=wanted).delete()
    rows = [Interest(member_id=member_id, category_id=pk, chosen_at=at) for pk in sorted(wanted)]
    Interest.objects.bulk_create(rows, ignore_conflicts=True)


@merge_step(41)
def join_interests(merge: Merge) -> None:
    """Let the survivor like what either liked."""
    of_loser = Interest.objects.filter(member_id=merge.loser_id)
    of_loser.exclude(category_id__in=interests_of(merge.survivor_id)).update(member_id=merge.survivor_id)
    of_loser.delete()

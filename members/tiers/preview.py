"""What a version of the tiers would do, counted without writing anything."""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Max, Min

from members.accounts.models import Member
from members.lib.clock import database_now
from members.tiers.counting import Who
from members.tiers.models import TierSet
from members.tiers.moving import plan_moves
from members.tiers.placing import count_below, find_moving, structure_of
from members.tiers.recalculation import no_moves

RANGE = 10_000


@dataclass(frozen=True)
class Preview:
    """How many members would rise, fall and stay at once, get their first tier, or begin a grace.

    ``fall_later`` hold more than they would reach and fall at the end of their term, unless they reach it by then.
    """

    rise: int
    fall: int
    stay: int
    start: int
    grace: int
    fall_later: int


def preview_tier_set(*, tier_set_id: int, at: datetime | None = None) -> Preview:
    """Return what putting a version in force would do at ``at`` (now unless given): the same that it then does."""
    at = at or database_now()
    structure = structure_of(TierSet.objects.get(pk=tier_set_id))
    counts, below = no_moves(), 0
    bounds = Member.objects.aggregate(low=Min("pk"), high=Max("pk"))
    for low in range(bounds["low"] or 1, (bounds["high"] or 0) + 1, RANGE):
        who = Who(low, low + RANGE - 1)
        moves = plan_moves(structure, find_moving(structure, who, at), at)
        counts.update(Counter(move.direction for move in moves))
        below += count_below(structure, who, at)
    changed = counts["up"] + counts["down"] + counts["start"]
    return Preview(
        rise=counts["up"],
        fall=counts["down"],
        stay=Member.objects.exclude(status=Member.Status.MERGED).count() - changed,
        start=counts["start"],
        grace=counts["grace"],
        fall_later=below,
    )

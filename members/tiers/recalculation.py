"""Recalculating standings: up as soon as the threshold is met, down only at a review.

Set-based: one statement finds who has something to be decided in a range of members; only those rows come to Python. A
second run finds nobody, so twice is once; a killed run resumes at its range.
"""

from collections import Counter
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Max, Min

from members.accounts.models import Member
from members.events.models import Event
from members.events.readers import reader
from members.jobs.schedule import Turn, scheduled
from members.lib.clock import database_now
from members.lib.transactions import retried
from members.tiers.alike import move_alike, refresh_statistics
from members.tiers.counting import Who
from members.tiers.moving import plan_moves, write_moves
from members.tiers.placing import Structure, find_places, structure_of
from members.tiers.standing import current_tier_set

# How many member ids one statement looks at, and how many members are decided one by one in between.
RANGE = 50_000
ALONE = 5_000

# Facts that can make a member reach a tier.
RAISING = {
    "member.joined",
    "member.merged",
    "points.activated",
    "points.adjusted",
    "points.granted",
    "purchase.recorded",
    "referral.granted",
}


def recalculate(*, at: datetime | None = None, turn: Turn | None = None, backfilled: bool = False) -> dict[str, int]:
    """Put every member where they belong at ``at`` (now unless given); return how many went up, down, started, stayed.

    ``kept`` were reviewed and keep their tier, for ``grace`` a grace began. ``backfilled`` marks the events as imported
    past, so that nobody is told and nothing is given.
    """
    at = at or database_now()
    tier_set = current_tier_set()
    bounds = Member.objects.aggregate(low=Min("pk"), high=Max("pk"))
    counts = no_moves()
    if tier_set is not None and bounds["low"] is not None:
        structure = structure_of(tier_set)
        refresh_statistics()
        low, high = max(bounds["low"], turn.cursor if turn else 0), bounds["high"]
        while low <= high:
            last = min(low + RANGE - 1, high)
            counts.update(move_many(structure, Who(low, last), at=at, backfilled=backfilled, turn=turn, total=high))
            low = last + 1
    return report(counts)


def no_moves() -> Counter[str]:
    """Return the counts of a run that moved nobody."""
    return Counter(up=0, down=0, start=0, kept=0, grace=0)


def report(counts: Counter[str]) -> dict[str, int]:
    """Return what a run did, and how many hold the tier they held."""
    moved = counts["up"] + counts["down"] + counts["start"]
    told = {name: counts[name] for name in no_moves()}
    # Counted in an index, which the status would not be.
    return told | {"unchanged": Member.objects.filter(merged_into=None).count() - moved}


@retried
def move_many(
    structure: Structure,
    who: Who,
    *,
    at: datetime,
    backfilled: bool = False,
    turn: Turn | None = None,
    total: int = 0,
) -> Counter[str]:
    """Move those of many members for whom something is to be decided; return the count by direction.

    With a turn the place is kept in the same transaction: the next range begins behind this one.
    """
    counts, alone = move_alike(structure, who, at, backfilled=backfilled)
    for begin in range(0, len(alone), ALONE):
        ids = tuple(alone[begin : begin + ALONE])
        counts.update(_move_each(structure, Who(ids[0], ids[-1], ids), at, backfilled=backfilled))
    if turn is not None:
        turn.checkpoint(who.high + 1, done=who.high, total=total)
    return counts


@retried
def move_members(structure: Structure, who: Who, *, at: datetime, backfilled: bool = False) -> Counter[str]:
    """Move those of a few members for whom something is to be decided, one by one; return the count by direction."""
    # Locked alone, then looked up again: another worker may have moved them in between.
    ids = tuple(place.member_id for place in find_places(structure, who, at))
    if not ids:
        return Counter()
    list(Member.objects.select_for_update(no_key=True).filter(pk__in=ids).order_by("pk").values_list("pk"))
    return _move_each(structure, Who(who.low, who.high, ids), at, backfilled=backfilled)


def _move_each(structure: Structure, who: Who, at: datetime, *, backfilled: bool) -> Counter[str]:
    """Move members who are locked."""
    moves = plan_moves(structure, find_places(structure, who, at), at)
    write_moves(structure, moves, at, backfilled=backfilled)
    return Counter(move.direction for move in moves)


@reader("tier-upgrades", kinds=RAISING)
def raise_at_once(event: Event) -> None:
    """Raise a member within seconds of the purchase; an import ends with one recalculation of its own."""
    tier_set = current_tier_set()
    if event.backfilled or event.member_id is None or tier_set is None:
        return
    move_members(structure_of(tier_set), Who(event.member_id, event.member_id), at=database_now())


@scheduled("recalculate-all-tiers", every=timedelta(days=7))
def recalculate_all_tiers(turn: Turn) -> dict[str, Any]:
    """Review every standing: once a week to make sure, and whenever somebody asks."""
    return recalculate(at=turn.at, turn=turn)

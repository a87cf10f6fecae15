"""A review at once: what a member holds is what the figures say now, before the term is over."""

from dataclasses import replace
from datetime import datetime

from members.accounts.models import Member
from members.lib.transactions import retried
from members.tiers.evaluation import Turn
from members.tiers.moving import plan_moves, write_moves
from members.tiers.placing import place_of, structure_of
from members.tiers.standing import current_tier_set


@retried
def review_at_once(*, member_id: int, at: datetime) -> bool:
    """Let the member's tier fall now if the figures no longer reach it, as after a failed review without grace.

    A member who still reaches it keeps tier and term as they were; decisions of staff and paid tiers stay. Returns
    whether something changed; a repeat changes nothing.
    """
    Member.objects.select_for_update(no_key=True).get(pk=member_id)
    tier_set = current_tier_set()
    if tier_set is None:
        return False
    structure = structure_of(tier_set)
    place = place_of(structure, member_id, at)
    if place is None or place.tier_id is None:
        return False
    moves = plan_moves(structure, [replace(place, keep_until=at, grace_until=at)], at)
    falls = [move for move in moves if move.turn is Turn.FALL]
    write_moves(structure, falls, at, backfilled=False)
    return bool(falls)

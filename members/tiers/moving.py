"""Writing what was decided: the standings that end and begin, and what the log is told."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import Q

from members.events.log import NewEvent, write_events
from members.programme.models import Programme
from members.tiers.evaluation import Turn, held_by_decision
from members.tiers.models import Standing, Tier, TierGrant, TierSet
from members.tiers.placing import Place, Structure
from members.tiers.terms import grace_end, keep_end, next_term

_WHY = {
    Turn.START: Standing.Why.JOINED,
    Turn.RISE: Standing.Why.REACHED,
    Turn.KEEP: Standing.Why.KEPT,
    Turn.FALL: Standing.Why.REVIEW,
    Turn.STAY: Standing.Why.LADDER,
}

CHANGED = "tier.changed"


@dataclass(frozen=True)
class Move:
    """What is decided for one member: what is earned from now on, the tier that counts, and the decision behind it."""

    place: Place
    turn: Turn
    earned: Tier
    earned_rank: int
    tier: Tier
    old_rank: int | None
    rank: int
    grant: TierGrant | None
    # When the next decision about this member ends, whether or not it makes a difference.
    granted_until: datetime | None

    @property
    def direction(self) -> str:
        """``start``, ``up``, ``down``, ``kept``, ``grace`` or ``same``, of the tier that counts."""
        if self.old_rank is None:
            return "start"
        if self.rank != self.old_rank:
            return "up" if self.rank > self.old_rank else "down"
        return {Turn.KEEP: "kept", Turn.GRACE: "grace"}.get(self.turn, "same")

    @property
    def begins_standing(self) -> bool:
        """Whether a new standing begins; a grace alone only marks the present one."""
        return self.turn != Turn.GRACE or self.rank != self.old_rank or self.granted_until != self.place.granted_until


def plan_moves(structure: Structure, places: Sequence[Place], at: datetime) -> list[Move]:
    """Return what becomes of the members, decisions of staff and paid tiers taken into account. Writes nothing."""
    grants = _grants_at([place.member_id for place in places], at)
    ids = {tier_id for place in places for tier_id in (place.tier_id, place.earned_id) if tier_id}
    held = Tier.objects.in_bulk(ids)
    return [_plan(structure, place, grants.get(place.member_id, []), held, at) for place in places]


def _plan(structure: Structure, place: Place, grants: list[TierGrant], held: dict[int, Tier], at: datetime) -> Move:
    turn, earned_rank = place.decide(structure.ladder, at)
    earned = structure.tier(earned_rank)
    earned_id = place.earned_id or place.tier_id
    if turn in {Turn.STAY, Turn.GRACE} and place.keep_until is not None and earned_id:
        # Until its end a tier stays the one of its version.
        earned = held[earned_id]
    rank, grant = _with_decisions(structure, earned_rank, grants)
    return Move(
        place,
        turn,
        earned,
        earned_rank,
        tier=grant.tier if grant else earned,
        old_rank=structure.rank_of(held[place.tier_id]) if place.tier_id else None,
        rank=rank,
        grant=grant,
        granted_until=min((each.until_at for each in grants if each.until_at), default=None),
    )


def _with_decisions(structure: Structure, earned: int, grants: list[TierGrant]) -> tuple[int, TierGrant | None]:
    """Return the rank that counts, and the decision that makes the difference to what is earned, if one does."""
    ranked = [(structure.rank_of(grant.tier), grant) for grant in grants]
    highest = max((each for each in ranked if not each[1].holds_down), key=lambda each: each[0], default=None)
    lowest = min((each for each in ranked if each[1].holds_down), key=lambda each: each[0], default=None)
    rank = held_by_decision(
        earned, raised_to=highest[0] if highest else None, held_down_to=lowest[0] if lowest else None
    )
    if rank == earned:
        return rank, None
    held_down = lowest is not None and rank == lowest[0]
    return rank, lowest[1] if held_down and lowest else highest[1] if highest else None


def _grants_at(member_ids: list[int], at: datetime) -> dict[int, list[TierGrant]]:
    running = Q(until_at=None) | Q(until_at__gt=at)
    found: dict[int, list[TierGrant]] = {}
    grants = TierGrant.objects.filter(running, member_id__in=member_ids, from_at__lte=at, ended_at=None)
    for grant in grants.select_related("tier").order_by("pk"):
        found.setdefault(grant.member_id, []).append(grant)
    return found


def plan_alike(structure: Structure, places: Sequence[Place], at: datetime) -> list[Move]:
    """Return the same for members about whom nothing was decided by staff and who paid for no tier."""
    held = Tier.objects.in_bulk({place.tier_id for place in places if place.tier_id})
    return [_plan(structure, place, [], held, at) for place in places]


def write_moves(
    structure: Structure, moves: Sequence[Move], at: datetime, *, backfilled: bool, why: str | None = None
) -> None:
    """End the present standings, begin the new ones, mark those in grace, and tell the log.

    ``why`` is the reason where a decision is the cause. The members are locked.
    """
    begun = [move for move in moves if move.begins_standing]
    marked = [move.place.standing_id or 0 for move in moves if not move.begins_standing]
    Standing.objects.filter(pk__in=marked).update(grace_until=grace_from(structure, at))
    ended = [move.place.standing_id for move in begun if move.place.standing_id]
    Standing.objects.filter(pk__in=ended).update(until_at=at)
    made = Standing.objects.bulk_create([standing_of(structure, move, at, why=why) for move in begun])
    news = _changes(structure, zip(begun, made, strict=True)) + _graces(moves)
    write_events([NewEvent(kind, member_id, data, at, backfilled) for kind, member_id, data in news])


def grace_from(structure: Structure, at: datetime) -> datetime:
    """Return the end of a grace that begins at ``at``."""
    return grace_end(structure.tier_set, at, Programme.current().tz)


def standing_of(structure: Structure, move: Move, at: datetime, *, why: str | None = None) -> Standing:
    """Return the standing that a move begins, not written yet."""
    zone = Programme.current().tz
    return Standing(
        member_id=move.place.member_id,
        tier=move.tier,
        earned=move.earned if move.grant else None,
        grant=move.grant,
        from_at=at,
        held_since=move.place.held_since if move.rank == move.old_rank else at,
        keep_until=_keep_until(structure, move, at, zone),
        grace_until=_grace_until(move, grace_end(structure.tier_set, at, zone)),
        granted_until=move.granted_until,
        why=why or _why(move),
        qualified=move.place.figures.get(structure.tier_set.basis, 0),
        figures=dict(move.place.figures),
    )


def _why(move: Move) -> str:
    if move.granted_until != move.place.granted_until and move.turn in {Turn.STAY, Turn.GRACE}:
        return Standing.Why.ENDED
    return _WHY.get(move.turn, Standing.Why.REVIEW)


def _keep_until(structure: Structure, move: Move, at: datetime, zone: ZoneInfo) -> datetime | None:
    """Return the end of the term of what is earned; what cannot be lost has none."""
    place, tier_set = move.place, structure.tier_set
    if move.turn in {Turn.STAY, Turn.GRACE} and place.keep_until is not None:
        return place.keep_until
    if structure.ladder.is_kept_for_ever(move.earned_rank):
        return None
    anchor = place.joined_at
    if tier_set.window == TierSet.Window.TIER_START:
        anchor = place.held_since if place.held_since and move.rank == move.old_rank else at
    if move.turn in {Turn.KEEP, Turn.FALL} and place.keep_until and not (move.turn == Turn.KEEP and place.grace_until):
        return next_term(tier_set, place.keep_until, at, anchor=anchor, zone=zone)
    return keep_end(tier_set, at, anchor=anchor, zone=zone)


def _grace_until(move: Move, begins: datetime) -> datetime | None:
    if move.turn == Turn.GRACE:
        return begins
    return move.place.grace_until if move.turn == Turn.STAY else None


News = list[tuple[str, int, dict[str, Any]]]


def _changes(structure: Structure, begun: Iterable[tuple[Move, Standing]]) -> News:
    """Tell of tiers that changed."""
    return [
        (CHANGED, move.place.member_id, {"standing": standing.pk, **change})
        for move, standing in begun
        if (change := change_told(structure, move))
    ]


def change_told(structure: Structure, move: Move) -> dict[str, Any]:
    """Return what the log is told of a tier that changed, but for its standing; nothing where it did not change.

    A start is a change when it is above the lowest tier.
    """
    if move.direction not in {"up", "down"} and not (move.direction == "start" and move.rank):
        return {}
    return {
        "from": move.place.tier_id or structure.tier(0).pk,
        "to": move.tier.pk,
        "direction": "down" if move.direction == "down" else "up",
    }


def _graces(moves: Sequence[Move]) -> News:
    """Tell of graces that begin, and of those that were made good."""
    return [
        (kind, move.place.member_id, {"tier": move.earned.pk, "standing": move.place.standing_id})
        for move in moves
        if (kind := grace_told(move))
    ]


def grace_told(move: Move) -> str:
    """Return the kind of event that tells of a grace that begins or was made good; empty where there is neither."""
    if move.turn == Turn.GRACE:
        return "tier.grace_started"
    return "tier.grace_made_good" if move.turn == Turn.KEEP and move.place.grace_until is not None else ""

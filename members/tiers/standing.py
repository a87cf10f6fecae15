"""Reads: where a member stands, and what is missing to the next tier."""

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from django.db import connection

from members.lib.prepared import array_of, fetch_prepared
from members.tiers.counting import asked_by, db_time
from members.tiers.evaluation import Figures
from members.tiers.models import Standing, Tier, TierSet
from members.tiers.placing import Place, Structure, as_instant, place_of, structure_from


@dataclass(frozen=True)
class Asked:
    """One thing a tier asks for, and how much of it there is: points, minor units, purchases, friends or months."""

    basis: str
    have: int
    needs: int

    @property
    def missing(self) -> int:
        """What is still to go."""
        return max(self.needs - self.have, 0)


@dataclass(frozen=True)
class TierProgress:
    """The present tier, the next one, and how far it is; figures in points or minor units (``basis``).

    ``asked`` is all that the next tier asks for, the main thing first; ``earned_rank`` is what review and threshold
    look at where a decision holds another tier, until ``granted_until``.
    """

    basis: str
    current: Tier
    next: Tier | None
    qualified: int
    needed: int
    keep_until: datetime | None
    tiers: list[Tier]
    asked: list[Asked]
    needs_all: bool
    earned_rank: int
    grace_until: datetime | None
    is_granted: bool
    granted_until: datetime | None


@dataclass(frozen=True)
class Outlook:
    """The next review if nothing more happened until then: when, what staying asks for, and the tier it would give."""

    review_at: datetime
    to_stay: list[Asked]
    projected: Tier
    stays: bool


def current_standing(member_id: int) -> Standing | None:
    """Return the member's open standing with its tier, or None before the first evaluation."""
    return Standing.objects.filter(member_id=member_id, until_at=None).select_related("tier").first()


def current_ranks(member_ids: Collection[int]) -> dict[int, int]:
    """Return the rank of the tier that each member stands in; members before their first evaluation are missing."""
    standings = Standing.objects.filter(member__in=member_ids, until_at=None)
    return dict(standings.values_list("member", "tier__rank"))


def as_of(member_id: int, at: datetime) -> Standing | None:
    """Return the standing that the member had at an instant, with its tier, or None before the first."""
    began = Standing.objects.filter(member_id=member_id, from_at__lte=at).exclude(until_at__lte=at)
    return began.select_related("tier", "grant").order_by("-from_at", "-pk").first()


def progress(member_id: int, at: datetime) -> TierProgress | None:
    """Return where the member stands at ``at``; None without tiers, and for one who was merged. Two queries."""
    ladder = Tier.objects.filter(tier_set__is_current=True).select_related("tier_set").order_by("rank")
    tiers = list(ladder)
    if not tiers:
        return None
    structure = structure_from(tiers[0].tier_set, tiers)
    place = place_of(structure, member_id, at)
    if place is None:
        return None
    rank = _held_rank(structure, place)
    following = tiers[rank + 1] if rank + 1 < len(tiers) else None
    qualified = place.figures.get(structure.tier_set.basis, 0)
    return TierProgress(
        basis=structure.tier_set.basis,
        current=tiers[rank],
        next=following,
        qualified=qualified,
        needed=max(following.threshold - qualified, 0) if following else 0,
        keep_until=place.keep_until,
        tiers=tiers,
        asked=_asked(structure, following, place.figures) if following else [],
        needs_all=structure.ladder.needs_all,
        earned_rank=place.held_rank or 0,
        grace_until=place.grace_until,
        is_granted=place.earned_id is not None,
        granted_until=place.granted_until,
    )


def outlook(member_id: int, found: TierProgress) -> Outlook | None:
    """Return the next review of what the member earned; None where nothing can be lost. One query."""
    review_at = found.grace_until or found.keep_until
    structure = structure_from(found.tiers[0].tier_set, found.tiers)
    rank = found.earned_rank
    if review_at is None or structure.ladder.is_kept_for_ever(rank):
        return None
    place = place_of(structure, member_id, review_at)
    if place is None:
        return None
    best = {basis: max(figure, place.last_figures.get(basis, 0)) for basis, figure in place.figures.items()}
    _turn, projected = place.decide(replace(structure.ladder, has_grace=False), review_at)
    return Outlook(
        review_at=review_at,
        to_stay=_asked(structure, found.tiers[rank], best),
        projected=found.tiers[projected],
        stays=projected >= rank,
    )


def _held_rank(structure: Structure, place: Place) -> int:
    """Return the rank of the tier that counts, in the ladder in force."""
    if place.earned_id is None:
        return place.held_rank or 0
    ranks = {tier.pk: tier.rank for tier in structure.tiers}
    assert place.tier_id is not None
    return ranks[place.tier_id] if place.tier_id in ranks else structure.rank_of(Tier.objects.get(pk=place.tier_id))


def _asked(structure: Structure, tier: Tier, figures: Figures) -> list[Asked]:
    return [Asked(basis, max(figures.get(basis, 0), 0), needs) for basis, needs in asked_by(structure.tier_set, tier)]


Held = tuple[int, int, datetime | None, datetime | None]


def held_by(member_ids: Sequence[int], *, since: datetime, until: datetime) -> list[Held]:
    """Return the standings of the members between two instants as (member, tier, from, until).

    An end outside the two instants may be None. On the hot path of awards, so it is plain SQL: compiling the same query
    costs more than running it, and instants that nobody compares cost most of the reading.
    """
    if connection.vendor == "postgresql":
        return fetch_prepared(HELD_BY, [array_of(member_ids), since.isoformat(), until.isoformat()])
    span = {"since": db_time(since), "until": db_time(until), "members": json.dumps(list(member_ids))}
    with connection.cursor() as cursor:
        cursor.execute(_HELD_ON_SQLITE, span)
        return [(member, tier, as_instant(start), as_instant(end)) for member, tier, start, end in cursor.fetchall()]


_HELD = """
SELECT member_id, tier_id, CASE WHEN from_at > {since} THEN from_at END,
       CASE WHEN until_at <= {until} THEN until_at END
FROM members_standing
WHERE {members} AND from_at <= {until} AND (until_at IS NULL OR until_at > {since})
"""
HELD_BY = _HELD.format(members="member_id = ANY($1::bigint[])", since="$2::timestamptz", until="$3::timestamptz")
_HELD_ON_SQLITE = _HELD.format(
    members="member_id IN (SELECT value FROM json_each(%(members)s))", since="%(since)s", until="%(until)s"
)


def current_tier_set() -> TierSet | None:
    """Return the ladder in force."""
    return TierSet.objects.filter(is_current=True).first()

"""Reads: where a member stands, and what is missing to the next tier."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import connection
from django.db.models import Subquery

from members.lib.prepared import fetch_prepared
from members.tiers.counting import qualified_of
from members.tiers.evaluation import Rung, next_above
from members.tiers.models import Standing, Tier, TierSet


@dataclass(frozen=True)
class TierProgress:
    """The present tier, the next one, and how far it is; figures in points or minor units (``basis``)."""

    basis: str
    current: Tier
    next: Tier | None
    qualified: int
    needed: int
    keep_until: datetime | None
    tiers: list[Tier]


def current_standing(member_id: int) -> Standing | None:
    """Return the member's open standing with its tier, or None before the first evaluation."""
    return Standing.objects.filter(member_id=member_id, until_at=None).select_related("tier").first()


def progress(member_id: int, at: datetime) -> TierProgress | None:
    """Return where the member stands at ``at``; None while the programme has no tiers. Two queries."""
    standing = Standing.objects.filter(member_id=member_id, until_at=None)
    ladder = Tier.objects.filter(tier_set__is_current=True).select_related("tier_set").order_by("rank")
    tiers = list(
        ladder.annotate(
            held_rank=Subquery(standing.values("tier__rank")[:1]),
            kept_until=Subquery(standing.values("keep_until")[:1]),
        )
    )
    if not tiers:
        return None
    rank = tiers[0].held_rank or 0
    current = next((tier for tier in tiers if tier.rank == rank), tiers[0])
    above = next_above(rank, [Rung(tier.pk, tier.rank, tier.threshold) for tier in tiers])
    following = next((tier for tier in tiers if above and tier.pk == above.id), None)
    qualified = qualified_of(member_id, tiers[0].tier_set, at)
    return TierProgress(
        basis=tiers[0].tier_set.basis,
        current=current,
        next=following,
        qualified=qualified,
        needed=max(following.threshold - qualified, 0) if following else 0,
        keep_until=tiers[0].kept_until,
        tiers=list(tiers),
    )


Held = tuple[int, int, datetime | None, datetime | None]


def held_by(member_ids: Sequence[int], *, since: datetime, until: datetime) -> list[Held]:
    """Return the standings of the members between two instants as (member, tier, from, until).

    An end outside the two instants may be None. On the hot path of awards, so it is plain SQL on PostgreSQL: compiling
    the same query costs more than running it, and instants that nobody compares cost most of the reading.
    """
    if connection.vendor != "postgresql":
        standings = Standing.objects.filter(member_id__in=member_ids)
        return list(standings.values_list("member_id", "tier_id", "from_at", "until_at"))
    return fetch_prepared(HELD_BY, {"members": list(member_ids), "since": since, "until": until})


HELD_BY = """
SELECT member_id, tier_id, CASE WHEN from_at > %(since)s THEN from_at END,
       CASE WHEN until_at <= %(until)s THEN until_at END
FROM members_standing
WHERE member_id = ANY(%(members)s) AND from_at <= %(until)s AND (until_at IS NULL OR until_at > %(since)s)
"""


def current_tier_set() -> TierSet | None:
    """Return the ladder in force."""
    return TierSet.objects.filter(is_current=True).first()

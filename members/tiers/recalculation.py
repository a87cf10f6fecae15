"""Recalculating standings: up as soon as the threshold is met, down only at a review.

Set-based: one statement finds who moves in a range of members; only those rows come to Python. A second run finds
nobody, so twice is once; a killed run resumes at its range.
"""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime, time
from typing import Any

from django.db import connection
from django.db.models import Max, Min

from members.accounts.models import Member
from members.events.log import NewEvent, write_events
from members.events.models import Event
from members.events.readers import reader
from members.jobs.schedule import Turn, scheduled
from members.lib import periods
from members.lib.clock import database_now
from members.lib.transactions import retried
from members.programme.models import Programme
from members.tiers.counting import counting_query
from members.tiers.models import Standing, TierSet
from members.tiers.standing import current_tier_set

RANGE = 20_000

_MOVES = """
WITH counted AS ({counted}),
placed AS (
    SELECT m.id AS member_id, coalesce(c.total, 0) AS qualified, s.id AS standing_id,
           s.keep_until, held.rank AS old_rank, held.id AS old_tier,
           (SELECT max(t.rank) FROM members_tier t
            WHERE t.tier_set_id = %s AND t.threshold <= CASE WHEN c.total > 0 THEN c.total ELSE 0 END) AS new_rank
    FROM members_member m
    LEFT JOIN counted c ON c.member_id = m.id
    LEFT JOIN members_standing s ON s.member_id = m.id AND s.until_at IS NULL
    LEFT JOIN members_tier held ON held.id = s.tier_id
    WHERE m.id BETWEEN %s AND %s
)
SELECT p.member_id, p.qualified, p.standing_id, p.old_tier, p.old_rank, n.id, n.rank
FROM placed p JOIN members_tier n ON n.tier_set_id = %s AND n.rank = p.new_rank
WHERE p.standing_id IS NULL OR n.rank > p.old_rank OR (n.rank < p.old_rank AND p.keep_until <= %s)
ORDER BY p.member_id
"""


@dataclass(frozen=True)
class Move:
    """One member's change: from which tier (None before the first) to which."""

    member_id: int
    qualified: int
    standing_id: int | None
    old_tier_id: int | None
    old_rank: int | None
    tier_id: int
    rank: int

    @property
    def direction(self) -> str:
        """``up``, ``down`` or ``start``."""
        if self.old_rank is None:
            return "start"
        return "up" if self.rank > self.old_rank else "down"


def recalculate(*, at: datetime | None = None, turn: Turn | None = None, backfilled: bool = False) -> dict[str, int]:
    """Put every member where they belong at ``at`` (now unless given); return how many went up, down, started, stayed.

    ``backfilled`` marks the events as imported past, so that nobody is told.
    """
    at = at or database_now()
    tier_set = current_tier_set()
    bounds = Member.objects.aggregate(low=Min("pk"), high=Max("pk"))
    moved: Counter[str] = Counter(up=0, down=0, start=0)
    if tier_set is None or bounds["low"] is None:
        return dict(moved, unchanged=0)
    low = max(bounds["low"], turn.cursor if turn else 0)
    while low <= bounds["high"]:
        last = min(low + RANGE - 1, bounds["high"])
        moved.update(move_members(tier_set, low, last, at=at, turn=turn, backfilled=backfilled))
        low = last + 1
    return dict(moved, unchanged=Member.objects.count() - moved.total())


@retried
def move_members(
    tier_set: TierSet,
    low: int,
    high: int,
    *,
    at: datetime,
    turn: Turn | None = None,
    backfilled: bool = False,
) -> Counter[str]:
    """Move the members with ids from ``low`` to ``high``; return the count by direction."""
    candidates = find_moves(tier_set, low, high, at)
    # Locked alone, then looked up again: another worker may have moved them in between.
    ids = [move.member_id for move in candidates]
    list(Member.objects.select_for_update(no_key=True).filter(pk__in=ids).order_by("pk").values_list("pk"))
    locked = set(ids)
    moves = [move for move in find_moves(tier_set, low, high, at) if move.member_id in locked] if ids else []
    _apply(moves, tier_set, at, backfilled=backfilled)
    if turn is not None:
        turn.checkpoint(high + 1, done=turn.done + len(moves), total=0)
    return Counter(move.direction for move in moves)


def find_moves(tier_set: TierSet, low: int, high: int, at: datetime) -> list[Move]:
    """Return who would move at ``at``, without moving anybody."""
    counted, parameters = counting_query(tier_set, at, low, high)
    due = connection.ops.adapt_datetimefield_value(at)
    with connection.cursor() as cursor:
        cursor.execute(_MOVES.format(counted=counted), [*parameters, tier_set.pk, low, high, tier_set.pk, due])
        return [Move(*row) for row in cursor.fetchall()]


def _apply(moves: list[Move], tier_set: TierSet, at: datetime, *, backfilled: bool) -> None:
    zone = Programme.current().tz
    keep_until = periods.end_after_months(at, tier_set.keep_months, to_month_end=True, zone=zone)
    Standing.objects.filter(pk__in=[move.standing_id for move in moves if move.standing_id]).update(until_at=at)
    made = Standing.objects.bulk_create(
        Standing(
            member_id=move.member_id,
            tier_id=move.tier_id,
            from_at=at,
            keep_until=keep_until if move.rank else None,
            why=_WHY[move.direction],
            qualified=move.qualified,
        )
        for move in moves
    )
    changes = zip(moves, made, strict=True)
    write_events([_event(move, standing, at, backfilled) for move, standing in changes if move.old_tier_id])


_WHY = {"start": Standing.Why.JOINED, "up": Standing.Why.REACHED, "down": Standing.Why.REVIEW}


def _event(move: Move, standing: Standing, at: datetime, backfilled: bool) -> NewEvent:
    data = {
        "standing": standing.pk,
        "from": move.old_tier_id,
        "to": move.tier_id,
        "direction": move.direction,
    }
    return NewEvent(kind="tier.changed", member_id=move.member_id, data=data, occurred_at=at, backfilled=backfilled)


@reader("tier-upgrades", kinds={"member.joined", "purchase.recorded"})
def raise_at_once(event: Event) -> None:
    """Raise a member within seconds of the purchase; an import ends with one recalculation of its own."""
    tier_set = current_tier_set()
    if event.backfilled or event.member_id is None or tier_set is None:
        return
    move_members(tier_set, event.member_id, event.member_id, at=database_now())


@scheduled("recalculate-tiers", daily_at=time(3, 0), after="expire-points")
def recalculate_tiers(turn: Turn) -> dict[str, Any]:
    """Review every standing, once a day in the small hours."""
    return recalculate(at=turn.at, turn=turn)

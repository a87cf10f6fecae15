"""Members alike are decided once and written together: a night of a million members costs a few hundred decisions.

Whoever has something to be decided is put on a temporary table with the name of their situation: what they hold, until
when, and what they reach. One member of each situation is decided, by the very functions that decide about one alone;
plain statements write what follows for all of them. Two kinds are left to be decided one by one: who is or was held by
a decision, and whom another worker moved before the members were locked.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.db import connection

from members.events.log import write_selected_events
from members.programme.models import Programme
from members.tiers.counting import Basis, Who, db_time, local_day
from members.tiers.models import TierSet
from members.tiers.moving import CHANGED, Move, change_told, grace_from, grace_told, plan_alike, standing_of
from members.tiers.placing import INSTANTS, Structure, columns_of, finding, read_places

_TYPES = {"postgresql": "timestamp with time zone", "sqlite": "datetime"}
_OBJECTS = {"postgresql": "jsonb_build_object", "sqlite": "json_object"}
_PLACES = "CREATE TEMPORARY TABLE tier_place ({columns}, situation text)"
_MOVES = """
CREATE TEMPORARY TABLE tier_move (
    situation text, begins smallint, keeps_since smallint, tier_id bigint, keep_until {instant}, grace_until {instant},
    why varchar(8), tenure bigint, from_tier_id bigint, direction varchar(4), grace_kind varchar(40), earned_id bigint)
"""
_ADD_MOVE = "INSERT INTO tier_move VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)"
# However wrong the server's guess of how many they are, no join goes through all of them for each.
_INDEX = "CREATE UNIQUE INDEX tier_place_member ON tier_place (member_id)"
_DROP = ("DROP TABLE tier_place", "DROP TABLE tier_move")

# In a statement of its own, as every lock before something is decided.
_LOCK = """
SELECT count(*) FROM (
    SELECT id FROM members_member WHERE id IN (SELECT member_id FROM tier_place) AND id BETWEEN %(low)s AND %(high)s
    ORDER BY id FOR NO KEY UPDATE) locked
"""
_ALONE = """
SELECT p.member_id FROM tier_place p
JOIN members_member m ON m.id = p.member_id AND m.id BETWEEN %(low)s AND %(high)s
LEFT JOIN members_standing o ON o.member_id = p.member_id AND o.until_at IS NULL
WHERE p.granted_until IS NOT NULL OR p.earned_id IS NOT NULL OR m.status = 'MERGED'
    OR coalesce(o.id, 0) <> coalesce(p.standing_id, 0)
    OR coalesce(o.keep_until, %(never)s) <> coalesce(p.keep_until, %(never)s)
    OR coalesce(o.grace_until, %(never)s) <> coalesce(p.grace_until, %(never)s)
    OR EXISTS (SELECT 1 FROM members_tiergrant g WHERE g.member_id = p.member_id AND g.ended_at IS NULL
               AND g.from_at <= %(at)s AND (g.until_at IS NULL OR g.until_at > %(at)s))
"""
_TAKE_OFF = "DELETE FROM tier_place WHERE member_id IN ({alone})"
_ONE_OF_EACH = (
    "SELECT {columns} FROM tier_place WHERE member_id IN (SELECT min(member_id) FROM tier_place GROUP BY situation)"
)
_SIZES = "SELECT min(member_id), situation, count(*) FROM tier_place GROUP BY situation"

_BOTH = "FROM tier_place p JOIN tier_move d ON d.situation = p.situation"
_END = """
UPDATE members_standing AS o SET until_at = %(at)s {both}
WHERE o.member_id = p.member_id AND o.id = p.standing_id AND d.begins = 1
"""
_MARK = """
UPDATE members_standing AS o SET grace_until = %(grace)s {both}
WHERE o.member_id = p.member_id AND o.id = p.standing_id AND d.begins = 0
"""
_BEGIN = """
INSERT INTO members_standing
    (member_id, tier_id, from_at, held_since, keep_until, grace_until, why, qualified, figures)
SELECT p.member_id, d.tier_id, %(at)s, CASE WHEN d.keeps_since = 1 THEN p.held_since ELSE %(at)s END,
       d.keep_until, d.grace_until, d.why, {qualified}, {figures}
{both} WHERE d.begins = 1
"""
_CHANGES = """
SELECT p.member_id,
       {object}('standing', o.id, 'from', d.from_tier_id, 'to', d.tier_id, 'direction', d.direction) AS data
{both} JOIN members_standing o ON o.member_id = p.member_id AND o.until_at IS NULL
WHERE d.direction IS NOT NULL
"""
_GRACES = """
SELECT p.member_id, {object}('tier', d.earned_id, 'standing', p.standing_id) AS data
{both} WHERE d.grace_kind = %(kind)s
"""
_NEVER = datetime(9999, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Alike:
    """Members in one situation: how many, and what becomes of one of them and so of all."""

    situation: str
    size: int
    move: Move


def move_alike(structure: Structure, who: Who, at: datetime, *, backfilled: bool) -> tuple[Counter[str], list[int]]:
    """Move those of the members who are decided together; return how many by direction, and the ids of those left.

    What is left is locked too, and to be decided one by one in the same transaction.
    """
    alone: list[int] = []
    moved: list[Alike] = []
    _run(_PLACES.format(columns=_typed(columns_of(structure))))
    _run(_MOVES.format(instant=_TYPES[connection.vendor]))
    if connection.vendor == "postgresql":
        # A range costs enough for PostgreSQL to compile its query, and too little for that to be worth it.
        _run("SET LOCAL jit = off")
    if _stage(structure, who, at):
        span = {"low": who.low, "high": who.high, "at": db_time(at)}
        if connection.features.has_select_for_update:
            _run(_LOCK, span)
        alone = _set_aside(span)
        moved = _decide(structure, at)
        _write(structure, moved, at, span, backfilled=backfilled)
    for statement in _DROP:
        _run(statement)
    counts: Counter[str] = Counter()
    for each in moved:
        counts[each.move.direction] += each.size
    return counts, alone


def refresh_statistics() -> None:
    """Let PostgreSQL count the standings anew: its plan for a range depends on whether there are any."""
    if connection.vendor == "postgresql":
        _run("ANALYZE members_standing")


def _stage(structure: Structure, who: Who, at: datetime) -> int:
    """Put on the table whoever has something to be decided; return how many."""
    named, parameters = _situation(structure)
    query, values = finding(structure, who, at, (f", {named}", parameters))
    found = _run(f"INSERT INTO tier_place {query}", values)
    if found:
        _run(_INDEX)
    return found


def _situation(structure: Structure) -> tuple[str, list[str]]:
    """Return SQL that names a member's situation, and its parameters: whatever a decision or a term can depend on."""
    parts = ["p.tier_id", "p.rank_now", "p.rank_last", "p.keep_until", "p.grace_until"]
    days = []
    if Basis.TENURE in structure.bases or structure.tier_set.window == TierSet.Window.JOINED:
        days.append(local_day("p.joined_at"))
    if structure.tier_set.window == TierSet.Window.TIER_START:
        days.append(local_day("p.held_since"))
    named = " || '|' || ".join(f"coalesce(cast({part} AS text), '')" for part in (*parts, *days))
    return named, [Programme.current().zone] * len(days)


def _set_aside(span: dict[str, Any]) -> list[int]:
    """Take off the table, and return, whoever is to be decided alone."""
    values = span | {"never": db_time(_NEVER)}
    with connection.cursor() as cursor:
        cursor.execute(_ALONE, values)
        ids = sorted(member_id for (member_id,) in cursor.fetchall())
    if ids:
        _run(_TAKE_OFF.format(alone=_ALONE), values)
    return ids


def _decide(structure: Structure, at: datetime) -> list[Alike]:
    with connection.cursor() as cursor:
        cursor.execute(_SIZES)
        sizes = {member_id: (situation, size) for member_id, situation, size in cursor.fetchall()}
    places = read_places(structure, _ONE_OF_EACH.format(columns=", ".join(columns_of(structure))), [], at)
    moves = plan_alike(structure, places, at)
    return [Alike(*sizes[move.place.member_id], move) for move in moves]


def _write(
    structure: Structure, moved: Sequence[Alike], at: datetime, span: dict[str, Any], *, backfilled: bool
) -> None:
    with connection.cursor() as cursor:
        cursor.executemany(_ADD_MOVE, [_row(structure, each, at) for each in moved])
    values = span | {"grace": db_time(grace_from(structure, at))}
    if any(each.move.place.standing_id for each in moved):
        _run(_END.format(both=_BOTH), values)
        _run(_MARK.format(both=_BOTH), values)
    _run(_BEGIN.format(both=_BOTH, **_figures(structure)), values)
    _tell(moved, at, span, backfilled=backfilled)


def _row(structure: Structure, each: Alike, at: datetime) -> list[Any]:
    move, standing, change = each.move, standing_of(structure, each.move, at), change_told(structure, each.move)
    return [
        each.situation,
        int(move.begins_standing),
        int(move.rank == move.old_rank),
        standing.tier_id,
        db_time(standing.keep_until),
        db_time(standing.grace_until),
        str(standing.why),
        move.place.figures.get(Basis.TENURE.value, 0),
        change.get("from"),
        change.get("direction"),
        grace_told(move),
        move.earned.pk,
    ]


def _tell(moved: Sequence[Alike], at: datetime, span: dict[str, Any], *, backfilled: bool) -> None:
    kinds = {grace_told(each.move) for each in moved} - {""}
    queries = [(kind, _GRACES, {"kind": kind}) for kind in sorted(kinds)]
    queries.insert(0, (CHANGED, _CHANGES, span))
    for kind, query, values in queries:
        text = query.format(both=_BOTH, object=_OBJECTS[connection.vendor])
        write_selected_events(kind=kind, query=text, parameters=values, occurred_at=at, backfilled=backfilled)


def _figures(structure: Structure) -> dict[str, str]:
    """Return SQL for what was counted: the figure of the set's own basis, and all of them."""
    columns = {
        str(basis): "d.tenure" if basis == Basis.TENURE else f"p.{basis.lower()}_now" for basis in structure.bases
    }
    pairs = ", ".join(f"'{basis}', {column}" for basis, column in columns.items())
    return {"qualified": columns[structure.tier_set.basis], "figures": f"{_OBJECTS[connection.vendor]}({pairs})"}


def _typed(columns: Sequence[str]) -> str:
    return ", ".join(f"{name} {_TYPES[connection.vendor] if name in INSTANTS else 'bigint'}" for name in columns)


def _run(statement: str, parameters: Any = None) -> int:
    """Run a statement; return how many rows it touched."""
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        return int(cursor.rowcount)

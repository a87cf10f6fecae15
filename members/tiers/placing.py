"""Who has something to be decided: one statement for a range of members, or for some of them.

The statement only picks; what happens to whom is decided by ``evaluation.decide``, once for the nightly run, the
reader and the preview.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.db import connection

from members.lib import periods
from members.programme.models import Programme
from members.tiers import windows
from members.tiers.counting import COUNTED, Basis, Who, asked_by, bases_of, counting, db_time
from members.tiers.evaluation import Criterion, Figures, Held, Ladder, Rung, Turn, decide
from members.tiers.models import Tier, TierSet


@dataclass(frozen=True)
class Structure:
    """A tier set with its tiers, ready to decide."""

    tier_set: TierSet
    tiers: list[Tier]
    bases: list[str]
    ladder: Ladder

    def tier(self, rank: int) -> Tier:
        """Return the tier of a rank."""
        return self.tiers[rank]

    def rank_of(self, tier: Tier) -> int:
        """Return the rank here of a tier, maybe of another version: that of the same code, else the nearest."""
        if tier.tier_set_id == self.tier_set.pk:
            return tier.rank
        same = [each.rank for each in self.tiers if each.code == tier.code]
        return same[0] if same else min(tier.rank, self.tiers[-1].rank)


def structure_of(tier_set: TierSet) -> Structure:
    """Return a set as arithmetic needs it. One query."""
    return structure_from(tier_set, list(tier_set.tiers.order_by("rank")))


def structure_from(tier_set: TierSet, tiers: list[Tier]) -> Structure:
    """Return a set whose tiers, lowest first, are known."""
    rungs = [
        Rung(
            tier.pk,
            tier.rank,
            tuple(Criterion(basis, threshold) for basis, threshold in asked_by(tier_set, tier)),
            tier.is_never_lost,
        )
        for tier in tiers
    ]
    ladder = Ladder(
        rungs,
        needs_all=tier_set.combine == TierSet.Combine.ALL,
        drop=tier_set.drop,
        has_grace=bool(tier_set.grace_months or tier_set.grace_days),
    )
    return Structure(tier_set, tiers, bases_of(tier_set, tiers), ladder)


@dataclass(frozen=True)
class Place:
    """One member with something to be decided: what is held, and what the figures reach."""

    member_id: int
    joined_at: datetime
    standing_id: int | None
    tier_id: int | None
    earned_id: int | None
    held_rank: int | None
    held_set_id: int | None
    keep_until: datetime | None
    grace_until: datetime | None
    granted_until: datetime | None
    held_since: datetime | None
    rank_now: int
    rank_last: int
    figures: Figures
    last_figures: Figures

    def decide(self, ladder: Ladder, at: datetime) -> tuple[Turn, int]:
        """Return what happens to what the member earned."""
        held = None if self.held_rank is None else Held(self.held_rank, self.keep_until, self.grace_until)
        return decide(held, now=self.rank_now, last=self.rank_last, ladder=ladder, at=at)


# A term that is over, a grace that is over or was made good, a decision that ended, a tier that is reached.
_DUE = """
    p.standing_id IS NULL OR p.rank_now > p.held_rank OR (p.grace_until IS NULL AND p.keep_until <= %s)
    OR p.grace_until <= %s OR (p.grace_until IS NOT NULL AND (p.rank_now >= p.held_rank OR p.rank_last >= p.held_rank))
    OR p.granted_until <= %s
"""
# A tier of an older version that no review will ever touch: the same tier of the version in force takes its place.
_OUTDATED = "(p.keep_until IS NULL AND p.held_set <> %s)"
_LIST = "SELECT {columns} FROM placed p {condition}"
# Would fall if their term were over.
_COUNT_BELOW = """
{tables} SELECT count(*) FROM placed p
WHERE p.rank_now < p.held_rank AND p.rank_last < p.held_rank AND p.held_rank IN ({ranks}) AND ({due}) IS NOT TRUE
"""


def find_places(structure: Structure, who: Who, at: datetime) -> list[Place]:
    """Return the members among ``who`` for whom something is to be decided at ``at``, by id. One query."""
    query, parameters = finding(structure, who, at)
    return read_places(structure, query, parameters, at)


def finding(
    structure: Structure, who: Who, at: datetime, further: tuple[str, list[Any]] = ("", [])
) -> tuple[str, list[Any]]:
    """Return the query behind ``find_places`` and its parameters.

    The columns are those of ``columns_of``, and ``further`` (SQL over ``p`` and its parameters) behind them.
    """
    columns, parameters = further
    listed = _LIST.format(
        columns=f"{_named(structure)}{columns}", condition=f"WHERE {_DUE} OR {_OUTDATED} ORDER BY p.member_id"
    )
    return _listing(structure, who, at, listed, [*parameters, *_due_parameters(at), structure.tier_set.pk])


def find_moving(structure: Structure, who: Who, at: datetime) -> list[Place]:
    """Return the same but for those who hold an outdated version of the tier that they keep. One query."""
    return _places(structure, who, at, f"WHERE {_DUE} ORDER BY p.member_id", _due_parameters(at))


def places_of(structure: Structure, who: Who, at: datetime) -> list[Place]:
    """Return the places of all members among ``who``, by id, whether or not anything is to be decided. One query."""
    return _places(structure, who, at, "ORDER BY p.member_id", [])


def place_of(structure: Structure, member_id: int, at: datetime) -> Place | None:
    """Return one member's place, whether or not anything is to be decided; None for one who was merged. One query."""
    found = _places(structure, Who(member_id, member_id), at, "", [])
    return found[0] if found else None


def count_below(structure: Structure, who: Who, at: datetime) -> int:
    """Return how many hold more than they reach now, and would fall at the end of their term."""
    losable = [rank for rank in range(len(structure.tiers)) if not structure.ladder.is_kept_for_ever(rank)]
    ranks = ",".join(map(str, losable)) or "NULL"
    query, parameters = _placed(structure, who, at)
    with connection.cursor() as cursor:
        statement = _COUNT_BELOW.format(tables=query, ranks=ranks, due=_DUE)
        cursor.execute(statement, [*parameters, *_due_parameters(at)])
        return int(cursor.fetchone()[0])


def _due_parameters(at: datetime) -> list[Any]:
    return [db_time(at)] * 3


# What is known of a member beside the figures.
_COLUMNS = (
    "member_id",
    "joined_at",
    "standing_id",
    "tier_id",
    "earned_id",
    "held_rank",
    "held_set",
    "keep_until",
    "grace_until",
    "granted_until",
    "held_since",
    "rank_now",
    "rank_last",
)
_FIELDS = [name if name != "held_set" else "held_set_id" for name in _COLUMNS]
INSTANTS = {"joined_at", "keep_until", "grace_until", "granted_until", "held_since"}


def columns_of(structure: Structure) -> list[str]:
    """Return the names of what is known of a member: the fixed ones, then the figures of both windows."""
    return [*_COLUMNS, *_figure_columns([basis for basis in structure.bases if basis in COUNTED])]


def _named(structure: Structure) -> str:
    return ", ".join(f"p.{name}" for name in columns_of(structure))


def _places(structure: Structure, who: Who, at: datetime, condition: str, parameters: list[Any]) -> list[Place]:
    listed = _LIST.format(columns=_named(structure), condition=condition)
    return read_places(structure, *_listing(structure, who, at, listed, parameters), at)


def _listing(structure: Structure, who: Who, at: datetime, listed: str, parameters: list[Any]) -> tuple[str, list[Any]]:
    tables, first = _placed(structure, who, at)
    return f"{tables} {listed}", [*first, *parameters]


def read_places(structure: Structure, query: str, parameters: Sequence[Any], at: datetime) -> list[Place]:
    """Return the places that a query with the columns of ``columns_of`` tells."""
    counted = [basis for basis in structure.bases if basis in COUNTED]
    with connection.cursor() as cursor:
        cursor.execute(query, parameters)
        return [_place(structure, counted, row, at) for row in cursor.fetchall()]


def _figure_columns(counted: list[str]) -> list[str]:
    return [f"{basis.lower()}_{window}" for window in ("now", "last") for basis in counted]


def _place(structure: Structure, counted: list[str], row: Sequence[Any], at: datetime) -> Place:
    size = len(_COLUMNS)
    fixed: list[Any] = [
        as_instant(value) if name in INSTANTS else value for name, value in zip(_COLUMNS, row, strict=False)
    ]
    totals = [int(value) for value in row[size:]]
    figures = {str(basis): value for basis, value in zip(counted, totals, strict=False)}
    last_figures = {str(basis): value for basis, value in zip(counted, totals[len(counted) :], strict=True)}
    if Basis.TENURE in structure.bases:
        zone = Programme.current().tz
        joined, day = (periods.local_day(each, zone) for each in (fixed[1], at))
        figures[Basis.TENURE.value] = last_figures[Basis.TENURE.value] = max(windows.months_since(joined, day), 0)
    return Place(**dict(zip(_FIELDS, fixed, strict=True)), figures=figures, last_figures=last_figures)


def as_instant(value: Any) -> datetime | None:
    """Return an instant as Python knows it: to raw statements SQLite gives text, or an instant without its zone."""
    found: datetime | None = datetime.fromisoformat(value) if isinstance(value, str) else value
    return found.replace(tzinfo=UTC) if found is not None and found.tzinfo is None else found


# Each member with standing, figures and the ranks that they reach. A tier of another version counts by its code; where
# the code is gone, by its rank.
_FOUND = """
    SELECT m.id AS member_id, m.joined_at, s.id AS standing_id, s.tier_id, s.earned_id,
           CASE WHEN s.id IS NOT NULL
                THEN coalesce(same.rank, CASE WHEN held.rank < {top} THEN held.rank ELSE {top} END) END AS held_rank,
           held.tier_set_id AS held_set, s.keep_until, s.grace_until, s.granted_until,
           coalesce(s.held_since, s.from_at) AS held_since, {now} AS rank_now, {last} AS rank_last{figures}
    FROM members_member m
    LEFT JOIN members_standing s ON s.member_id = m.id AND s.until_at IS NULL AND {standing}
    LEFT JOIN members_tier held ON held.id = coalesce(s.earned_id, s.tier_id)
    LEFT JOIN members_tier same ON same.tier_set_id = %s AND same.code = held.code
    {joins}
    WHERE {who} AND m.status <> 'MERGED'
"""


def _placed(structure: Structure, who: Who, at: datetime) -> tuple[str, list[Any]]:
    """Return the tables up to ``placed``, and their parameters."""
    tables = counting(structure.tier_set, structure.bases, who, at)
    now, now_parameters = _rank_sql(structure, "now", at)
    last, last_parameters = _rank_sql(structure, "last", at)
    counted = [basis.lower() for basis in structure.bases if basis in COUNTED]
    columns = [(name, window) for window in ("now", "last") for name in counted]
    query = _FOUND.format(
        top=len(structure.tiers) - 1,
        now=now,
        last=last,
        figures="".join(f", coalesce(c_{name}.{window}, 0) AS {name}_{window}" for name, window in columns),
        joins=" ".join(f"LEFT JOIN counted_{name} c_{name} ON c_{name}.owner = m.id" for name in counted),
        # Said of the standing as well: else the standings of everybody are read for each range.
        standing=who.sql("s.member_id"),
        who=who.sql("m.id"),
    )
    tables.add("placed", query, [*now_parameters, *last_parameters, structure.tier_set.pk])
    return f"WITH {', '.join(tables.tables)}", tables.parameters


def _rank_sql(structure: Structure, column: str, at: datetime) -> tuple[str, list[Any]]:
    """Return SQL for the highest rank that the figures of a window reach, as ``evaluation.reached`` says it."""
    word = " AND " if structure.ladder.needs_all else " OR "
    cases: list[str] = []
    parameters: list[Any] = []
    for rung in reversed(structure.ladder.rungs):
        if rung.rank == 0:
            continue
        parts = [_criterion_sql(criterion, column, at) for criterion in rung.criteria]
        cases.append(f"WHEN {word.join(text for text, _value in parts)} THEN {int(rung.rank)}")
        parameters += [value for _text, value in parts]
    return (f"CASE {' '.join(cases)} ELSE 0 END" if cases else "0"), parameters


def _criterion_sql(criterion: Criterion, column: str, at: datetime) -> tuple[str, Any]:
    if criterion.basis in COUNTED:
        return f"coalesce(c_{criterion.basis.lower()}.{column}, 0) >= %s", criterion.threshold
    zone = Programme.current().tz
    too_young = windows.first_day_too_young(periods.local_day(at, zone), criterion.threshold)
    return "m.joined_at < %s", db_time(periods.start_of_day(too_young, zone))

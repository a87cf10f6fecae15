"""What counts for a tier, as SQL: one row per member with a figure for each basis, of the present window and the last.

Returns are taken off where the purchase counted; points count once they are usable; spending points takes nothing off.
Who was merged into a member counts for that member.
"""

import json
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from django.db import connection

from members.ledger.models import PointType
from members.lib import periods
from members.programme.models import Programme
from members.tiers import windows
from members.tiers.models import Tier, TierSet

Basis = TierSet.Basis
COUNTED = (Basis.POINTS, Basis.SPEND, Basis.PURCHASES, Basis.REFERRALS)
# Status points are never spent, so whatever was posted counts; of the others only what shopping earned.
_KINDS = {
    PointType.SPENDABLE: "'EARN', 'RETURN'",
    PointType.STATUS: "'EARN', 'RETURN', 'GRANT', 'ADJUST', 'TAKE_BACK'",
}


@dataclass(frozen=True)
class Source:
    """Rows that count: a table with its member, what is joined to it, and instant, value and condition of each row."""

    table: str
    member: str
    at: str
    value: str
    joins: str = ""
    where: str = "TRUE"


_RETURNED = """coalesce((
    SELECT sum(r.amount) FROM members_purchaseline l JOIN members_returnline r ON r.purchase_line_id = l.id
    WHERE l.purchase_id = p.id), 0)"""

_SOURCES: dict[str, list[Source]] = {
    Basis.POINTS: [
        Source("members_pointsentry e", "e.member_id", "e.occurred_at", "e.points", where="{kinds}"),
        Source(
            "members_pointsaccount a",
            "a.member_id",
            "e.occurred_at",
            "-l.remaining",
            joins="JOIN members_pointslot l ON l.account_id = a.id AND l.remaining > 0"
            " JOIN members_pointsentry e ON e.id = l.entry_id",
            where="{kinds} AND e.kind = 'EARN' AND a.point_type = e.point_type"
            " AND (l.available_from IS NULL OR l.available_from > {at})",
        ),
    ],
    Basis.SPEND: [
        Source("members_purchase p", "p.member_id", "p.purchased_at", "p.amount"),
        Source(
            "members_return b",
            "b.member_id",
            "p.purchased_at",
            "-r.amount",
            joins="JOIN members_returnline r ON r.returned_id = b.id"
            " JOIN members_purchaseline l ON l.id = r.purchase_line_id JOIN members_purchase p ON p.id = l.purchase_id",
        ),
        # Money that went back without goods.
        Source(
            "members_return b",
            "b.member_id",
            "p.purchased_at",
            "-b.amount",
            joins="JOIN members_purchase p ON p.id = b.purchase_id",
            where="b.by_amount",
        ),
    ],
    # A purchase that came back as a whole is none.
    Basis.PURCHASES: [
        Source(
            "members_purchase p",
            "p.member_id",
            "p.purchased_at",
            f"CASE WHEN p.amount > 0 AND {_RETURNED} >= p.amount THEN 0 ELSE 1 END",
        ),
    ],
    # A friend whose referral was taken back is none.
    Basis.REFERRALS: [
        Source(
            "members_event e",
            "e.member_id",
            "e.occurred_at",
            "1",
            where="e.kind = 'referral.granted' AND NOT EXISTS (SELECT 1 FROM members_event b"
            " WHERE b.kind = 'referral.reversed' AND b.member_id = e.member_id"
            " AND CAST(b.data ->> 'granted' AS bigint) = e.id)",
        ),
    ],
}


_ROWS = """
    SELECT {owner} AS owner, {at} AS at, {value} AS value FROM {table}
    WHERE {where} AND {at} >= %s AND {at} <= %s
"""
_FIGURES = """
    SELECT r.owner, sum(CASE WHEN r.at >= %s THEN r.value ELSE 0 END) AS now,
           sum(CASE WHEN r.at < %s THEN r.value ELSE 0 END) AS last
    FROM ({rows}) r GROUP BY r.owner
"""
_OWN_FIGURES = """
    SELECT r.owner, sum(CASE WHEN r.at >= w.start_at THEN r.value ELSE 0 END) AS now,
           sum(CASE WHEN r.at >= w.last_start AND r.at < w.start_at THEN r.value ELSE 0 END) AS last
    FROM ({rows}) r JOIN own_window w ON w.owner = r.owner GROUP BY r.owner
"""
_OWN_WINDOW = """
    SELECT m.id AS owner, y.start_at, y.last_start FROM members_member m
    LEFT JOIN members_standing s ON s.member_id = m.id AND s.until_at IS NULL
    JOIN own_year y ON y.month_day = {month_day} WHERE {who}
"""

_ASKED_FOR = "SELECT id FROM asked_for"
_IDS = {
    "postgresql": "SELECT unnest(translate(%s, '[]', '{}')::bigint[])",
    "sqlite": "SELECT value FROM json_each(%s)",
}


@dataclass(frozen=True)
class Who:
    """Which members a statement is about: a range of ids, or some of them."""

    low: int
    high: int
    ids: tuple[int, ...] | None = None

    def sql(self, column: str) -> str:
        """Return the condition on a column that holds a member's id; it may ask the table ``asked_for``."""
        if self.ids is None:
            return f"{column} BETWEEN {int(self.low)} AND {int(self.high)}"
        return f"{column} IN ({_ASKED_FOR})"


@dataclass(frozen=True)
class Counting:
    """Common table expressions by name, to be put before a statement, and their parameters in order."""

    tables: list[str] = field(default_factory=list)
    parameters: list[Any] = field(default_factory=list)

    def add(self, name: str, query: str, parameters: list[Any]) -> None:
        """Add one."""
        self.tables.append(f"{name} AS ({query})")
        self.parameters.extend(parameters)


def bases_of(tier_set: TierSet, tiers: list[Tier]) -> list[str]:
    """Return what the tiers of a set ask for, in a fixed order."""
    asked = {basis for tier in tiers if tier.rank for basis, _threshold in asked_by(tier_set, tier)}
    return [basis for basis in (*COUNTED, Basis.TENURE) if basis in asked | {tier_set.basis}]


def asked_by(tier_set: TierSet, tier: Tier) -> list[tuple[str, int]]:
    """Return what one tier asks for, as (basis, threshold), the set's own basis first."""
    further = {
        Basis.POINTS: tier.also_points,
        Basis.SPEND: tier.also_spend,
        Basis.PURCHASES: tier.also_purchases,
        Basis.REFERRALS: tier.also_referrals,
        Basis.TENURE: tier.also_tenure,
    }
    return [
        (tier_set.basis, tier.threshold),
        *((str(basis), needed) for basis, needed in further.items() if needed is not None and basis != tier_set.basis),
    ]


def counting(tier_set: TierSet, bases: list[str], who: Who, at: datetime) -> Counting:
    """Return tables ``counted_<basis>`` (owner, now, last) for the members, as everything stood at ``at``."""
    found = Counting()
    if who.ids is not None:
        # As a table: planning a statement around a list of thousands takes longer than running it.
        found.add("asked_for(id)", _IDS[connection.vendor], [json.dumps(who.ids)])
    own_days = tier_set.window in windows.ANNIVERSARY
    if own_days:
        _add_own_windows(found, tier_set, who, at)
    for basis in bases:
        if basis in COUNTED:
            query, parameters = _figures(tier_set, basis, who, at, own_days=own_days)
            found.add(f"counted_{basis.lower()}", query, parameters)
    return found


def _figures(tier_set: TierSet, basis: str, who: Who, at: datetime, *, own_days: bool) -> tuple[str, list[Any]]:
    zone = Programme.current().tz
    day = periods.local_day(at, zone)
    if own_days:
        begin = periods.start_of_day(periods.add_months(day, -25), zone)
        rows, parameters = _rows(tier_set, basis, who, begin, at)
        return _OWN_FIGURES.format(rows=rows), parameters
    start, last_start = plain_window(tier_set, day).instants(zone)
    rows, parameters = _rows(tier_set, basis, who, last_start, at)
    return _FIGURES.format(rows=rows), [db_time(start), db_time(start), *parameters]


def plain_window(tier_set: TierSet, day: date, anchor: date | None = None) -> windows.Window:
    """Return the set's window on a local day; anniversaries need the member's day."""
    return windows.window_on(
        tier_set.window, day, months=tier_set.window_months, days=tier_set.window_days, anchor=anchor
    )


def _rows(tier_set: TierSet, basis: str, who: Who, begin: datetime, at: datetime) -> tuple[str, list[Any]]:
    """Return all rows that count: the members' own, and those of members who were merged into them."""
    parts: list[str] = []
    parameters: list[Any] = []
    for source in _SOURCES[basis]:
        where, more = _condition(source.where, tier_set, at)
        # Said aloud, it makes the few who were merged the place to begin.
        merged = f"members_member m JOIN {source.table} ON {source.member} = m.id AND m.merged_into_id IS NOT NULL"
        for owner, table in ((source.member, source.table), ("m.merged_into_id", merged)):
            parts.append(
                _ROWS.format(
                    owner=owner,
                    at=source.at,
                    value=source.value,
                    table=f"{table} {source.joins}",
                    where=f"{who.sql(owner)} AND {where}",
                )
            )
            parameters += [*more, db_time(begin), db_time(at)]
    return " UNION ALL ".join(parts), parameters


def _condition(condition: str, tier_set: TierSet, at: datetime) -> tuple[str, list[Any]]:
    point_type = PointType(tier_set.point_type)
    kinds = f"e.point_type = '{point_type.value}' AND e.kind IN ({_KINDS[point_type]})"
    text = condition.replace("{kinds}", kinds)
    return text.replace("{at}", "%s"), [db_time(at)] * text.count("{at}")


def _add_own_windows(found: Counting, tier_set: TierSet, who: Who, at: datetime) -> None:
    """Add ``own_window`` (owner, start_at, last_start): each member's year, by the local day it begins on."""
    zone = Programme.current().tz
    day = periods.local_day(at, zone)
    leap_year = [date(2000, 1, 1) + timedelta(days=offset) for offset in range(366)]
    parameters: list[Any] = []
    for anchor in leap_year:
        start, last_start = plain_window(tier_set, day, anchor).instants(zone)
        parameters += [anchor.month * 100 + anchor.day, db_time(start), db_time(last_start)]
    values = ", ".join(["(%s, %s, %s)"] * len(leap_year))
    found.add("own_year(month_day, start_at, last_start)", f"VALUES {values}", parameters)
    begun = "m.joined_at"
    if tier_set.window == TierSet.Window.TIER_START:
        begun = "coalesce(s.held_since, s.from_at, m.joined_at)"
    query = _OWN_WINDOW.format(month_day=_month_day(begun), who=who.sql("m.id"))
    found.add("own_window", query, [Programme.current().zone] * 2)


def _month_day(instant: str) -> str:
    """Return SQL for month × 100 + day of an instant in a zone; the zone is given twice as a parameter."""
    if connection.vendor == "postgresql":
        local = f"({instant} AT TIME ZONE %s)"
        return f"cast(extract(month FROM {local}) * 100 + extract(day FROM {local}) AS integer)"
    month, day = (f"django_datetime_extract('{part}', {instant}, %s, 'UTC')" for part in ("month", "day"))
    return f"({month} * 100 + {day})"


def local_day(instant: str) -> str:
    """Return SQL for the local day of an instant; the zone is given as a parameter."""
    if connection.vendor == "postgresql":
        return f"cast({instant} AT TIME ZONE %s AS date)"
    return f"django_datetime_cast_date({instant}, %s, 'UTC')"


def db_time(instant: datetime | None) -> Any:
    """Return an instant as this database compares it."""
    return connection.ops.adapt_datetimefield_value(instant)

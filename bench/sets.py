"""The nightly work beside one statement that does all of it: tiers and expiry."""

import os
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import cast

from django.db import connection, transaction

from bench.product import run_silently
from members.jobs.schedule import Turn
from members.ledger.expiry import expire_due
from members.tiers.changes import recalculate_changed
from members.tiers.models import Tier
from members.tiers.recalculation import recalculate

HALF_AGAIN = 1 / 1.5

_ENTRIES = """
INSERT INTO members_pointsentry
    (account_id, member_id, point_type, kind, contra, points, key, reason, breakdown, occurred_at, recorded_at)
SELECT a.id, a.member_id, 'SPENDABLE', 'EARN', 'ISSUED', i %% 90, 'window:' || lpad(i::text, 9, '0'), '', '{{}}',
       now() - interval '24 months' * ((i * 7919::bigint) %% {entries} / {entries}.0), now()
FROM generate_series(0, {entries} - 1) i
     JOIN (SELECT id, member_id, row_number() OVER (ORDER BY id) - 1 AS place FROM members_pointsaccount
           WHERE point_type = 'SPENDABLE') a ON a.place = (i * 104729::bigint) %% {members}
"""
_MEMBERS = """
INSERT INTO members_member (public_id, number, status, language, zone, source, joined_at)
SELECT 'w' || i, 'W' || i, 'ACTIVE', 'en', '', 'bench', timestamptz '2024-01-01' + i %% 700 * interval '1 day'
FROM generate_series((SELECT count(*) FROM members_member) + 1, %(members)s) i
"""
_ACCOUNTS = """
INSERT INTO members_pointsaccount (member_id, point_type, balance, debt)
SELECT id, 'SPENDABLE', 0, 0 FROM members_member m
WHERE NOT EXISTS (SELECT 1 FROM members_pointsaccount a WHERE a.member_id = m.id AND a.point_type = 'SPENDABLE')
ORDER BY id
"""
# The standings go to a table of the same columns and indexes, and the changes to the log, as the run writes them.
_STANDINGS = """
WITH found AS (
    SELECT m.id, coalesce(c.total, 0) AS total, (
        SELECT t.id FROM members_tier t WHERE t.tier_set_id = %(tier_set)s AND t.threshold <= coalesce(c.total, 0)
        ORDER BY t.threshold DESC LIMIT 1) AS tier_id
    FROM members_member m LEFT JOIN (
        SELECT member_id, sum(points) AS total FROM members_pointsentry
        WHERE kind IN ('EARN', 'RETURN') AND point_type = 'SPENDABLE' AND occurred_at > now() - interval '12 months'
        GROUP BY member_id) c ON c.member_id = m.id
), begun AS (
    INSERT INTO bench_standing (member_id, tier_id, from_at, held_since, keep_until, why, qualified, figures)
    SELECT id, tier_id, now(), now(), now() + interval '12 months', 'JOINED', total, jsonb_build_object('POINTS', total)
    FROM found RETURNING id, member_id, tier_id
)
INSERT INTO members_event (kind, member_id, occurred_at, recorded_at, data, backfilled)
SELECT 'tier.changed', member_id, now(), now(),
       jsonb_build_object('standing', id, 'from', %(lowest)s, 'to', tier_id, 'direction', 'up'), true
FROM begun WHERE tier_id <> %(lowest)s
"""
_LOTS = """
WITH due AS (
    SELECT nextval('members_pointsentry_id_seq') AS eid, a.id, a.member_id, i
    FROM generate_series(0, {lots} - 1) i
         JOIN (SELECT id, member_id, row_number() OVER (ORDER BY id) - 1 AS place FROM members_pointsaccount
               WHERE point_type = 'SPENDABLE') a ON a.place = i %% {members}
), e AS (
    INSERT INTO members_pointsentry
        (id, account_id, member_id, point_type, kind, contra, points, key, reason, breakdown, occurred_at, recorded_at)
    SELECT eid, id, member_id, 'SPENDABLE', 'GRANT', 'ISSUED', 10, 'due:' || eid, '', '{{}}', now(), now() FROM due
), l AS (
    INSERT INTO members_pointslot
        (entry_id, account_id, member_id, granted, remaining, available_from, expires_at, notice_due)
    SELECT eid, id, member_id, 10, 10, now() - interval '12 months', now() - interval '1 day', false FROM due
)
UPDATE members_pointsaccount t SET balance = t.balance + s.points
FROM (SELECT id, 10 * count(*) AS points FROM due GROUP BY id) s WHERE t.id = s.id
"""
_EXPIRE = """
WITH due AS (
    SELECT id, account_id, member_id, remaining FROM members_pointslot
    WHERE remaining > 0 AND expires_at <= now() AND NOT notice_due
), z AS (
    UPDATE members_pointslot t SET remaining = 0 FROM due WHERE t.id = due.id
), e AS (
    INSERT INTO members_pointsentry
        (account_id, member_id, point_type, kind, contra, points, key, reason, breakdown, occurred_at, recorded_at)
    SELECT account_id, member_id, 'SPENDABLE', 'EXPIRE', 'EXPIRED', -sum(remaining), 'floor-expire:' || account_id, '',
           jsonb_build_object('lots', count(*)), now(), now()
    FROM due GROUP BY account_id, member_id RETURNING id, account_id, member_id, points
), u AS (
    INSERT INTO members_lotuse (entry_id, lot_id, points)
    SELECT e.id, due.id, due.remaining FROM due JOIN e USING (account_id)
), v AS (
    INSERT INTO members_event (kind, member_id, occurred_at, recorded_at, data, backfilled)
    SELECT 'points.expired', member_id, now(), now(), jsonb_build_object('entry', id, 'points', points), false FROM e
)
UPDATE members_pointsaccount t SET balance = t.balance + e.points FROM e WHERE t.id = e.account_id
"""


def fill_members(members: int) -> None:
    """Bring the members, each with an account, up to so many."""
    _run(_MEMBERS, {"members": members})
    _run(_ACCOUNTS)
    _run("VACUUM ANALYZE members_member, members_pointsaccount")


def fill_tier_window(*, members: int, entries: int) -> None:
    """Spread so many entries over the members and twenty-four months; about half the members reach the higher tier."""
    fill_members(members)
    Tier.objects.filter(tier_set__is_current=True, rank=1).update(threshold=22 * entries // members)
    # Built behind the rows: a tenth of the time that a row at a time takes.
    definition = _drop_index("points_entry_member")
    _run(_ENTRIES.format(entries=entries, members=members))
    _run(definition)
    # As the server itself would have done by the night.
    _run("VACUUM ANALYZE members_pointsentry")


def all_standings_in_one_statement() -> float:
    """Work out every member's tier from the entries by one statement; return the seconds."""
    _run("DROP TABLE IF EXISTS bench_standing")
    _run("CREATE TABLE bench_standing (LIKE members_standing INCLUDING ALL)")
    lowest = Tier.objects.get(tier_set__is_current=True, rank=0)
    return _timed(partial(_run, _STANDINGS, {"tier_set": lowest.tier_set_id, "lowest": lowest.pk}))


def _recalculate_everybody() -> float:
    """Run the job over everybody, of whom nobody has a standing: each of them is written."""
    with transaction.atomic():
        _run("DELETE FROM members_standing")
    return _timed(partial(recalculate, backfilled=True))


_CHANGES = """
INSERT INTO members_event (kind, member_id, occurred_at, recorded_at, data, backfilled)
SELECT 'purchase.recorded', id, now(), now(), '{}', false FROM members_member WHERE id %% 37 = 0
"""


def _recalculate_changed_ones() -> float:
    """Run the nightly job over those with something new: every 37th member, as on a day of a large programme."""
    recalculate_changed()
    _run(_CHANGES)
    return _timed(recalculate_changed)


# Each way in which the job can run, with the least ratio to the one statement. One more way is one more line.
TIER_RUNS: dict[str, tuple[Callable[[], float], float]] = {
    "T8-tiers-full": (_recalculate_everybody, HALF_AGAIN),
    "T8-tiers-changed": (_recalculate_changed_ones, 1 / 0.03),
}


def peak_mib_of_tier_run(database_url: str) -> float:
    """Return the most memory that the job holds as a process of its own."""
    return run_silently(["run_job", "recalculate-tiers"], os.environ | {"DATABASE_URL": database_url}).peak_mib


def fill_due_lots(*, members: int, lots: int) -> None:
    """Give so many members, in turn, so many lots that ended yesterday."""
    _run(_LOTS.format(lots=lots, members=members))
    _run("VACUUM ANALYZE members_pointslot, members_pointsentry, members_pointsaccount")


def all_expiries_in_one_statement() -> float:
    """Expire everything that is due by one statement, which locks all of it; return the seconds."""
    return _timed(partial(_run, _EXPIRE))


class _Stopwatch:
    """Stands in for a turn: knows the longest time between two checkpoints."""

    cursor = done = 0

    def __init__(self) -> None:
        self.longest = 0.0
        self._last = time.perf_counter()

    def checkpoint(self, cursor: int, *, done: int, total: int) -> None:
        """Note how long this range took."""
        now = time.perf_counter()
        self.longest, self._last = max(self.longest, now - self._last), now


def sweep() -> tuple[float, float]:
    """Expire what is due as the job does; return the seconds of all and of the longest range."""
    watch = _Stopwatch()
    at = datetime.now(UTC) - timedelta(seconds=1)
    return _timed(partial(expire_due, at=at, turn=cast(Turn, watch))), watch.longest


def _timed(act: Callable[[], object]) -> float:
    started = time.perf_counter()
    act()
    return time.perf_counter() - started


def _drop_index(name: str) -> str:
    """Drop an index; return the statement that makes it again."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT indexdef FROM pg_indexes WHERE indexname = %s", [name])
        definition = str(cursor.fetchone()[0])
    _run(f"DROP INDEX {name}")
    return definition


def _run(statement: str, parameters: Sequence[int] | Mapping[str, int] = ()) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)

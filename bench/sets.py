"""The nightly work beside one statement that does all of it: tiers and expiry."""

import os
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import cast

from django.db import connection, transaction

from bench.product import SOURCE, run_silently
from members.accounts.enrolment import enrol_members_in_bulk
from members.accounts.models import Member
from members.jobs.schedule import Turn
from members.ledger.expiry import expire_due
from members.tiers.changes import recalculate_changed
from members.tiers.models import TierSet
from members.tiers.recalculation import recalculate

ENROLLED_AT_ONCE = 5000
HALF_AGAIN = 1 / 1.5

_ENTRIES = """
INSERT INTO members_pointsentry
    (account_id, member_id, point_type, kind, contra, points, key, reason, breakdown, occurred_at, recorded_at)
SELECT a.id, a.member_id, 'SPENDABLE', 'EARN', 'ISSUED', i %% 90, 'window:' || i, '', '{{}}',
       now() - interval '24 months' * ((i * 7919::bigint) %% {entries} / {entries}.0), now()
FROM generate_series(0, {entries} - 1) i
     JOIN (SELECT id, member_id, row_number() OVER (ORDER BY id) - 1 AS place FROM members_pointsaccount
           WHERE point_type = 'SPENDABLE') a ON a.place = (i * 104729::bigint) %% {members}
"""
# The rows of the standings go to a table of the same width and indexes.
_STANDINGS = """
INSERT INTO bench_standing (member_id, tier_id, from_at, why, qualified)
SELECT m.id, (SELECT t.id FROM members_tier t WHERE t.tier_set_id = %s AND t.threshold <= coalesce(c.total, 0)
              ORDER BY t.threshold DESC LIMIT 1), now(), 'JOINED', coalesce(c.total, 0)
FROM members_member m LEFT JOIN (
    SELECT member_id, sum(points) AS total FROM members_pointsentry
    WHERE kind IN ('EARN', 'RETURN') AND point_type = 'SPENDABLE' AND occurred_at > now() - interval '12 months'
    GROUP BY member_id) c ON c.member_id = m.id
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


def fill_tier_window(*, members: int, entries: int) -> None:
    """Bring the members up to so many and spread so many entries over twenty-four months."""
    missing = members - Member.objects.count()
    joined = datetime(2024, 1, 1, tzinfo=UTC)
    for start in range(0, missing, ENROLLED_AT_ONCE):
        names = [f"w{number}" for number in range(start, min(start + ENROLLED_AT_ONCE, missing))]
        enrol_members_in_bulk(source=SOURCE, joined=dict.fromkeys(names, joined))
    _run(_ENTRIES.format(entries=entries, members=members))
    _run("ANALYZE members_pointsentry")


def all_standings_in_one_statement() -> float:
    """Work out every member's tier from the entries by one statement; return the seconds."""
    _run("DROP TABLE IF EXISTS bench_standing")
    _run(
        "CREATE TABLE bench_standing (id bigserial PRIMARY KEY, member_id bigint, tier_id bigint, from_at timestamptz, "
        "until_at timestamptz, keep_until timestamptz, why text, qualified bigint)"
    )
    _run("CREATE INDEX ON bench_standing (member_id, from_at)")
    _run("CREATE UNIQUE INDEX ON bench_standing (member_id) WHERE until_at IS NULL")
    return _timed(partial(_run, _STANDINGS, [TierSet.objects.get(is_current=True).pk]))


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


def fill_due_lots(member_ids: Sequence[int], lots: int) -> None:
    """Give the members so many lots that ended yesterday."""
    _run(_LOTS.format(lots=lots, members=len(member_ids)))
    _run("ANALYZE members_pointslot")


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


def _run(statement: str, parameters: Sequence[int] = ()) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)

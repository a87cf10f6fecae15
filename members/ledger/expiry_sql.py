"""Expiry as SQL: what the due lots of some accounts become. The accounts are locked before."""

import json
from collections.abc import Sequence
from datetime import datetime

from django.db import connection

# The key of an entry ends with the instant of the sweep: put-back points can expire in the same lot once more.
_POSTGRES = """
WITH z AS (
    UPDATE members_pointslot l SET remaining = 0
    FROM (SELECT id, account_id, member_id, remaining, expires_at FROM members_pointslot
          WHERE account_id = ANY (%(accounts)s) AND remaining > 0 AND NOT notice_due AND expires_at <= %(at)s) d
    WHERE l.id = d.id RETURNING d.*
), s AS MATERIALIZED (
    SELECT account_id, member_id, sum(remaining)::bigint AS points, count(*) AS lots, min(expires_at) AS first_end,
           nextval('members_pointsentry_id_seq') AS eid
    FROM z GROUP BY account_id, member_id ORDER BY account_id
), e AS (
    INSERT INTO members_pointsentry
        (id, account_id, member_id, point_type, kind, contra, points, key, reason, breakdown, occurred_at, recorded_at)
    SELECT eid, account_id, member_id, 'SPENDABLE', 'EXPIRE', 'EXPIRED', -points,
           'expire:' || account_id || ':' || %(stamp)s, '', jsonb_build_object('lots', lots, 'first_end',
               to_char(first_end AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"+00:00"')), %(at)s, %(now)s
    FROM s
), u AS (
    INSERT INTO members_lotuse (entry_id, lot_id, points)
    SELECT s.eid, z.id, z.remaining FROM z JOIN s USING (account_id)
), b AS (
    UPDATE members_pointsaccount a SET balance = a.balance - s.points FROM s WHERE a.id = s.account_id
), v AS (
    INSERT INTO members_event (kind, member_id, occurred_at, recorded_at, data, backfilled)
    SELECT 'points.expired', member_id, %(at)s, %(now)s, jsonb_build_object('entry', eid, 'points', -points), false
    FROM s ORDER BY eid
)
SELECT count(*), coalesce(sum(lots), 0), coalesce(sum(points), 0) FROM s
"""

_DUE = """account_id IN (SELECT value FROM json_each(%(accounts)s)) AND remaining > 0 AND NOT notice_due
          AND expires_at <= %(at)s"""
_OURS = "key IN (SELECT 'expire:' || value || ':' || %(stamp)s FROM json_each(%(accounts)s))"

_SQLITE_TEMPLATES = (
    """
    INSERT INTO members_pointsentry
        (account_id, member_id, point_type, kind, contra, points, key, reason, breakdown, occurred_at, recorded_at)
    SELECT account_id, member_id, 'SPENDABLE', 'EXPIRE', 'EXPIRED', -sum(remaining),
           'expire:' || account_id || ':' || %(stamp)s, '', json_object('lots', count(*), 'first_end',
               strftime('%%Y-%%m-%%dT%%H:%%M:%%S+00:00', min(expires_at))), %(at)s, %(now)s
    FROM members_pointslot WHERE {due} GROUP BY account_id, member_id
    """,
    """
    INSERT INTO members_lotuse (entry_id, lot_id, points)
    SELECT e.id, l.id, l.remaining FROM members_pointslot l
    JOIN members_pointsentry e ON e.key = 'expire:' || l.account_id || ':' || %(stamp)s
    WHERE {due_lot}
    """,
    "UPDATE members_pointslot SET remaining = 0 WHERE {due}",
    """
    UPDATE members_pointsaccount SET balance = balance + e.points FROM members_pointsentry e
    WHERE e.account_id = members_pointsaccount.id AND e.{ours}
    """,
    """
    INSERT INTO members_event (kind, member_id, occurred_at, recorded_at, data, backfilled, position)
    SELECT 'points.expired', member_id, occurred_at, recorded_at,
           json_object('entry', id, 'points', points), 0, 0
    FROM members_pointsentry WHERE {ours} ORDER BY id
    """,
    """
    SELECT count(*), coalesce(sum(json_extract(breakdown, '$.lots')), 0), coalesce(-sum(points), 0)
    FROM members_pointsentry WHERE {ours}
    """,
)

_SQLITE = [
    template.format(due=_DUE, due_lot=_DUE.replace("account_id", "l.account_id"), ours=_OURS)
    for template in _SQLITE_TEMPLATES
]


def expire_lots(account_ids: Sequence[int], *, at: datetime, now: datetime) -> tuple[int, int, int]:
    """Expire what is due at ``at`` in these locked accounts; return the number of accounts, lots and points."""
    on_postgres = connection.vendor == "postgresql"
    instant = connection.ops.adapt_datetimefield_value
    parameters = {
        "accounts": list(account_ids) if on_postgres else json.dumps(list(account_ids)),
        "at": instant(at),
        "now": instant(now),
        "stamp": f"{now.timestamp():.6f}",
    }
    with connection.cursor() as cursor:
        for statement in [_POSTGRES] if on_postgres else _SQLITE:
            cursor.execute(statement, parameters)
        accounts, lots, points = cursor.fetchone()
    return int(accounts), int(lots), int(points)

"""Spending spendable points as one statement of PostgreSQL; the account was locked in a statement of its own."""

import json
from datetime import datetime
from typing import Any

from django.db import DEFAULT_DB_ALIAS

from members.ledger.models import PointsAccount, PointsEntry
from members.lib.prepared import fetch_prepared

# The lots in spend order, from each what those before it do not give. Nothing is written when they hold too little,
# when a hold has run out whose points nobody has put back yet, or when the key is known.
_SPEND = """
WITH o AS MATERIALIZED (
    SELECT id, remaining, sum(remaining) OVER (ORDER BY expires_at NULLS LAST, available_from NULLS LAST, id)
           - remaining AS before
    FROM members_pointslot
    WHERE account_id = $1::bigint AND remaining > 0 AND available_from <= $7::timestamptz
      AND (expires_at IS NULL OR expires_at > $7::timestamptz OR notice_due)
), e AS (
    INSERT INTO members_pointsentry
        (account_id, member_id, point_type, kind, contra, points, key, reason, breakdown, occurred_at, recorded_at)
    SELECT $1::bigint, $2::bigint, 'SPENDABLE', 'REDEEM', 'REDEEMED', -$3::bigint, $4::text, $5::text,
           $6::jsonb, $7::timestamptz, clock_timestamp()
    WHERE (SELECT sum(remaining) FROM o) >= $3::bigint
      AND NOT EXISTS (SELECT FROM members_hold WHERE member_id = $2::bigint AND account_id = $1::bigint
                      AND state = 'HELD' AND expires_at <= $7::timestamptz)
      AND NOT EXISTS (SELECT FROM members_pointsentry WHERE key = $4::text)
    RETURNING id, recorded_at
), u AS (
    UPDATE members_pointslot l SET remaining = l.remaining - least(o.remaining, $3::bigint - o.before)
    FROM o, e WHERE l.id = o.id AND o.before < $3::bigint
    RETURNING l.id, least(o.remaining, $3::bigint - o.before) AS points
), i AS (
    INSERT INTO members_lotuse (entry_id, lot_id, points) SELECT e.id, u.id, u.points FROM u, e
), a AS (
    UPDATE members_pointsaccount SET balance = balance - $3::bigint FROM e WHERE members_pointsaccount.id = $1::bigint
)
SELECT id, recorded_at FROM e
"""


def spend_at_once(
    account: PointsAccount, *, points: int, key: str, reason: str, data: dict[str, Any], at: datetime
) -> PointsEntry | None:
    """Spend points of the locked account in one statement; return the entry.

    None (nothing is written) where it takes more thought: too few points, a hold that has run out, or a known key.
    """
    found = fetch_prepared(
        _SPEND, [str(account.pk), str(account.member_id), str(points), key, reason, json.dumps(data), at.isoformat()]
    )
    if not found:
        return None
    entry_id, recorded_at = found[0]
    names = ("id", "account_id", "member_id", "kind", "contra", "points", "key", "reason", "breakdown")
    kind, contra = PointsEntry.Kind.REDEEM, PointsEntry.Contra.REDEEMED
    row = (entry_id, account.pk, account.member_id, kind, contra, -points, key, reason, data)
    return PointsEntry.from_db(DEFAULT_DB_ALIAS, (*names, "occurred_at", "recorded_at"), (*row, at, recorded_at))

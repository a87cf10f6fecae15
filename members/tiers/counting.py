"""What counts for a tier: points earned, or money spent, in the window; returns taken off."""

from datetime import datetime
from typing import Any

from django.db import connection

from members.lib import periods
from members.programme.models import Programme
from members.tiers.models import TierSet

# One row per member who has something that counts. Parameters: window start (exclusive), end, low and high member id.
QUALIFIED_BY_POINTS = """
    SELECT member_id, sum(points) AS total FROM members_pointsentry
    WHERE kind IN ('EARN', 'RETURN') AND point_type = 'SPENDABLE'
          AND occurred_at > %s AND occurred_at <= %s AND member_id BETWEEN %s AND %s
    GROUP BY member_id
"""

QUALIFIED_BY_SPEND = """
    SELECT member_id, sum(amount) AS total FROM (
        SELECT p.member_id, p.amount FROM members_purchase p
        WHERE p.purchased_at > %s AND p.purchased_at <= %s AND p.member_id BETWEEN %s AND %s
        UNION ALL
        SELECT r.member_id, -r.amount FROM members_returnline r
        JOIN members_purchaseline l ON l.id = r.purchase_line_id
        JOIN members_purchase p ON p.id = l.purchase_id
        WHERE p.purchased_at > %s AND p.purchased_at <= %s AND r.member_id BETWEEN %s AND %s
    ) spent GROUP BY member_id
"""


def window_start(tier_set: TierSet, at: datetime) -> datetime:
    """Return the exclusive start of the window that ends at ``at``: the local midnight that many months before."""
    zone = Programme.current().tz
    return periods.start_of_day(periods.add_months(periods.local_day(at, zone), -tier_set.window_months), zone)


def counting_query(tier_set: TierSet, at: datetime, low: int, high: int) -> tuple[str, list[Any]]:
    """Return the SQL that counts for members ``low`` to ``high``, and its parameters."""
    span: list[Any] = [_db_time(window_start(tier_set, at)), _db_time(at), low, high]
    if tier_set.basis == TierSet.Basis.SPEND:
        return QUALIFIED_BY_SPEND, span + span
    return QUALIFIED_BY_POINTS, span


def qualified_of(member_id: int, tier_set: TierSet, at: datetime) -> int:
    """Return the member's figure at ``at``. One query."""
    query, parameters = counting_query(tier_set, at, member_id, member_id)
    with connection.cursor() as cursor:
        cursor.execute(query, parameters)
        row = cursor.fetchone()
    return int(row[1]) if row else 0


def _db_time(instant: datetime) -> Any:
    return connection.ops.adapt_datetimefield_value(instant)

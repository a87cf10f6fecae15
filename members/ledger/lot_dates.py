"""Changing the end of lots: set-based, and each change kept, so that the lots of any instant can be told."""

from datetime import datetime

from django.db import connection
from django.db.models import QuerySet

from members.ledger.models import LotChange, PointsLot
from members.lib.clock import database_now

_KEEP = """
INSERT INTO members_lotchange
    (lot_id, member_id, why, at, recorded_at, old_available_from, new_available_from, old_expires_at, new_expires_at,
     old_notice_due, new_notice_due, actor_id, reason)
SELECT id, member_id, %s, %s, %s, available_from, available_from, expires_at, %s, notice_due, %s, %s, %s
FROM members_pointslot WHERE id IN ({lots}) ORDER BY id
"""


def change_ends(
    lots: QuerySet[PointsLot],
    *,
    expires_at: datetime,
    notice_due: bool,
    why: LotChange.Why,
    at: datetime,
    actor_id: int | None = None,
    reason: str = "",
) -> int:
    """Give these lots another end and keep what it was; return how many. The caller has locked their accounts."""
    chosen, parameters = lots.order_by().values("pk").query.sql_with_params()
    instant = connection.ops.adapt_datetimefield_value
    with connection.cursor() as cursor:
        cursor.execute(
            _KEEP.format(lots=chosen),
            [why, instant(at), instant(database_now()), instant(expires_at), notice_due, actor_id, reason, *parameters],
        )
    return lots.order_by().update(expires_at=expires_at, notice_due=notice_due)

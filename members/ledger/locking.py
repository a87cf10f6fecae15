"""Locking the accounts of several members: always in one order, so that nobody waits for each other."""

from collections.abc import Iterable

from django.db import DEFAULT_DB_ALIAS, connection

from members.ledger.models import PointsAccount, PointType
from members.lib.prepared import array_of, fetch_prepared

_COLUMNS = ("id", "member_id", "point_type", "balance", "debt", "blocked_at")
_LOCK = """
SELECT id, member_id, point_type, balance, debt, blocked_at FROM members_pointsaccount
WHERE member_id = ANY ($1::bigint[]) AND point_type = 'SPENDABLE' ORDER BY id FOR NO KEY UPDATE
"""


def lock_accounts(member_ids: Iterable[int]) -> dict[int, PointsAccount]:
    """Lock the spendable accounts of these members by id, alone in a statement, and return them by member."""
    wanted = sorted(set(member_ids))
    if connection.vendor == "postgresql":
        rows = fetch_prepared(_LOCK, [array_of(wanted)])
        return {row[1]: PointsAccount.from_db(DEFAULT_DB_ALIAS, _COLUMNS, row) for row in rows}
    accounts = PointsAccount.objects.filter(member__in=wanted, point_type=PointType.SPENDABLE)
    return {account.member_id: account for account in accounts.order_by("pk")}

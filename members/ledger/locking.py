"""Locking the accounts of several members: always in one order, so that nobody waits for each other."""

from collections.abc import Iterable

from members.ledger.models import PointsAccount, PointType


def lock_accounts(member_ids: Iterable[int]) -> dict[int, PointsAccount]:
    """Lock the spendable accounts of these members by id, alone in a statement, and return them by member."""
    accounts = PointsAccount.objects.select_for_update(no_key=True).filter(
        member__in=sorted(set(member_ids)), point_type=PointType.SPENDABLE
    )
    return {account.member_id: account for account in accounts.order_by("pk")}

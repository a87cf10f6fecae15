"""Notices: points do not end before their member was told, so many days ahead, that they will.

Only a message that was sent counts. Who cannot be reached keeps the points.
"""

from datetime import datetime

from members.ledger.lot_dates import change_ends
from members.ledger.models import LotChange, PointsLot
from members.ledger.posting import lock_account
from members.lib import periods
from members.lib.transactions import retried
from members.programme.models import Programme


def told_end(expires_at: datetime, *, told_at: datetime) -> datetime:
    """Return the exclusive end of points whose member is told at an instant: the notice's full days stay usable."""
    programme = Programme.current()
    if programme.notice_days is None:
        return expires_at
    return max(expires_at, periods.end_after_days(told_at, programme.notice_days, programme.tz))


@retried
def record_notice(*, member_id: int, expires_at: datetime, sent_at: datetime) -> int:
    """Note that the member was told at ``sent_at`` of the points that end at ``expires_at``; return how many lots.

    From now on they end: at their date, or at the midnight after the notice's full days where that is later. Lots that
    became usable after the message are not meant by it. A repeat changes nothing.
    """
    account = lock_account(member_id)
    told = PointsLot.objects.filter(
        account=account, remaining__gt=0, expires_at=expires_at, notice_due=True, available_from__lte=sent_at
    )
    return change_ends(
        told,
        expires_at=told_end(expires_at, told_at=sent_at),
        notice_due=False,
        why=LotChange.Why.NOTICED,
        at=sent_at,
    )

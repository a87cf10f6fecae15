"""Expiry by inactivity: an activity of the member moves the end of all their points, and only ever later.

Every lot still has one stored end. A reader of the event log moves it within seconds of the activity; what the member
sees meanwhile is at most those seconds behind. Pending points, points with an end of their own and points that were
given without an end are left alone: what was promised stays.
"""

from datetime import datetime

from django.db.models import Q

from members.events.models import Event
from members.events.readers import reader
from members.ledger.lot_dates import change_ends
from members.ledger.lots import end_of_lot, needs_notice
from members.ledger.models import LotChange, PointsLot
from members.ledger.posting import lock_account
from members.lib.transactions import retried
from members.programme.models import Programme

PURCHASE, REDEMPTION = "purchase.recorded", "reward.redeemed"


@reader("activity", kinds={PURCHASE, REDEMPTION})
def renew_points(event: Event) -> None:
    """Move the ends after an activity that the programme counts."""
    programme = Programme.current()
    counted = {PURCHASE: programme.inactivity_purchases, REDEMPTION: programme.inactivity_redemptions}
    if programme.expiry_policy != Programme.ExpiryPolicy.INACTIVITY or not counted[event.kind]:
        return
    if event.member_id is not None:
        extend_by_activity(member_id=event.member_id, active_at=event.occurred_at)


@retried
def extend_by_activity(*, member_id: int, active_at: datetime) -> int:
    """Let the points that were usable at the activity end one full period after it; return how many lots moved.

    Ends that are later already stay. A repeat changes nothing.
    """
    end = end_of_lot(active_at)
    if end is None:
        return 0
    account = lock_account(member_id)
    alive = Q(expires_at__gt=active_at) | Q(notice_due=True)
    lots = PointsLot.objects.filter(
        alive,
        account=account,
        remaining__gt=0,
        has_own_end=False,
        available_from__lte=active_at,
        expires_at__lt=end,
    )
    return change_ends(
        lots,
        expires_at=end,
        notice_due=needs_notice(end),
        why=LotChange.Why.EXTENDED,
        at=active_at,
        reason="activity",
    )

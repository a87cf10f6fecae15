"""The most points a member may hold: how many count toward it, and what it leaves of a gift or an award.

Pending points count and those set aside by open holds; points that have ended do not, whether or not the sweep ran; a
debt makes room. What comes back (refunds, releases, reinstated points, corrections, merges) is never cut.
"""

from collections.abc import Collection, Mapping
from datetime import datetime

from django.db.models import F, Sum
from django.db.models.functions import Coalesce

from members.ledger.award_rows import Award, AwardLot, CounterKey, Settle
from members.ledger.models import Hold, PointsAccount, PointsLot, PointType
from members.lib.clock import database_now
from members.programme.models import Programme

_NAME = "maximum"


def maximum_key(member_id: int) -> CounterKey:
    """Return the counter that stands for what the member's account holds; it is no row, the account counts itself."""
    return CounterKey(_NAME, member_id, "")


def is_maximum(key: CounterKey) -> bool:
    """Tell whether the counter is an account."""
    return key.name == _NAME


def points_kept(member_ids: Collection[int], at: datetime) -> dict[int, int]:
    """Return by member the points that count toward the maximum at ``at``; needs the locks to decide anything.

    Balance and open holds, of members merged into this one too, less what has ended; below zero with a debt.
    """
    accounts = PointsAccount.objects.filter(member_id__in=member_ids, point_type=PointType.SPENDABLE)
    kept = dict(accounts.values_list("member_id", "balance"))
    ended = PointsLot.objects.filter(
        account__in=accounts, remaining__gt=0, expires_at__lte=at, notice_due=False
    ).values_list("account__member")
    for member_id, points in ended.annotate(points=Sum("remaining")):
        kept[member_id] -= points
    owner = Coalesce(F("member__merged_into"), F("member"))
    held = Hold.objects.filter(state=Hold.State.HELD).annotate(owner=owner).filter(owner__in=member_ids)
    for member_id, points in held.values_list("owner").annotate(total=Sum("points")):
        kept[member_id] += points
    return kept


def kept_as_counter(member_id: int) -> dict[CounterKey, int]:
    """Return what the locked account of the member holds now, as a cap looks at a counter."""
    return {maximum_key(member_id): points_kept([member_id], database_now())[member_id]}


def room_for(member_id: int, at: datetime | None = None) -> int | None:
    """Return how many points more the member may hold, not negative; None for any number.

    ``at`` None reads the clock; whoever decides holds the lock of the account.
    """
    limit = Programme.current().maximum_balance
    if limit is None:
        return None
    return max(limit - points_kept([member_id], at or database_now())[member_id], 0)


def under_maximum(settle: Settle, kept: dict[int, int], at: datetime) -> Settle:
    """Return ``settle`` that sees what each account holds, and counts what each award adds to it.

    Points that have ended already when they are recorded (an imported past) need no room.
    """

    def settled(award: Award, used: Mapping[CounterKey, int]) -> Award:
        lives = not award.lots or any(_lives(lot, at) for lot in award.lots)
        held = kept[award.member_id] if lives else -award.points
        made = settle(award, {**used, maximum_key(award.member_id): held})
        kept[award.member_id] += sum(lot.points for lot in made.lots if _lives(lot, at))
        return made

    return settled


def _lives(lot: AwardLot, at: datetime) -> bool:
    return lot.expires_at is None or lot.expires_at > at or lot.notice_due

"""Points that one member gives to another: within the limits of the programme, dates kept."""

from datetime import date, datetime

from django.db.models import Sum

from members.accounts.access import MemberNotFound
from members.accounts.models import Member
from members.events.log import NewEvent, write_events
from members.ledger import posting
from members.ledger.locking import lock_accounts
from members.ledger.maximum import room_for
from members.ledger.models import PointsGift
from members.ledger.transfers import transfer
from members.lib import periods
from members.lib.clock import database_now
from members.lib.transactions import retried
from members.programme.models import Programme

REASON = "member-gift"


class GivingOff(Exception):
    """The programme does not let members give points."""


class ToOneself(Exception):
    """Points are given to somebody else."""


class BelowMinimum(Exception):
    """So few points are not given at once."""

    def __init__(self, minimum: int) -> None:
        super().__init__(minimum)
        self.minimum = minimum


class LimitReached(Exception):
    """More than the member may still give in this day or year; ``left`` is what is left of it."""

    def __init__(self, left: int) -> None:
        super().__init__(left)
        self.left = left


class AboveMaximum(Exception):
    """The other member may hold at most ``limit`` points; ``room`` more fit."""

    def __init__(self, *, room: int, limit: int) -> None:
        super().__init__(room)
        self.room, self.limit = room, limit


@retried
def give_points(
    *, from_member_id: int, to_member_id: int, points: int, key: str, note: str = "", at: datetime | None = None
) -> PointsGift:
    """Give usable points, soonest end first, once per giver and key; the dates stay. A repeat returns the first gift.

    Limits count the local day and calendar year of the programme. Writes ``points.given`` for the one and
    ``points.received`` for the other. Raises GivingOff, ToOneself, BelowMinimum, LimitReached, MemberNotFound where one
    of the two is not open, AboveMaximum, posting.NotPositive or posting.InsufficientPoints.
    """
    programme = Programme.current()
    if not programme.transfers_enabled:
        raise GivingOff
    if from_member_id == to_member_id:
        raise ToOneself
    if points <= 0:
        raise posting.NotPositive(points)
    # The giver's lock also holds the limits: of two gifts at once the second sees the first.
    lock_accounts([from_member_id, to_member_id])
    known = PointsGift.objects.filter(giver_id=from_member_id, key=key).first()
    if known is not None:
        return known
    now = at or database_now()
    if Member.objects.active().filter(pk__in=[from_member_id, to_member_id]).count() < 2:
        raise MemberNotFound
    _refuse_beyond_limits(from_member_id, to_member_id, points, now)
    return _give(from_member_id, to_member_id, points, key=key, note=note, now=now)


def _refuse_beyond_limits(giver_id: int, taker_id: int, points: int, now: datetime) -> None:
    programme = Programme.current()
    if points < programme.transfer_minimum:
        raise BelowMinimum(programme.transfer_minimum)
    left = left_to_give(giver_id, now)
    if left is not None and points > left:
        raise LimitReached(left)
    room = room_for(taker_id, now)
    if room is not None and points > room:
        raise AboveMaximum(room=room, limit=programme.maximum_balance or 0)


def left_to_give(member_id: int, at: datetime) -> int | None:
    """Return how many points the member may still give at ``at`` by the limits; None for any number."""
    programme = Programme.current()
    today = periods.local_day(at, programme.tz)
    limits = ((programme.transfer_daily_limit, today), (programme.transfer_yearly_limit, date(today.year, 1, 1)))
    left = [limit - _given_since(member_id, first) for limit, first in limits if limit is not None]
    return max(min(left), 0) if left else None


def _given_since(member_id: int, first: date) -> int:
    since = periods.start_of_day(first, Programme.current().tz)
    given = PointsGift.objects.filter(giver_id=member_id, at__gte=since)
    return given.aggregate(total=Sum("points"))["total"] or 0


def _give(giver_id: int, taker_id: int, points: int, *, key: str, note: str, now: datetime) -> PointsGift:
    numbers = dict(Member.objects.filter(pk__in=[giver_id, taker_id]).values_list("pk", "number"))
    stem = f"gift:{giver_id}:{key}"
    transfer(
        from_member_id=giver_id,
        to_member_id=taker_id,
        points=points,
        key=stem,
        reason=REASON,
        data={"giver": numbers[giver_id][-4:], "taker": numbers[taker_id][-4:]},
        at=now,
    )
    gift = PointsGift.objects.create(giver_id=giver_id, taker_id=taker_id, points=points, note=note, key=key, at=now)
    data = {"gift": gift.pk, "points": points}
    write_events([NewEvent("points.given", giver_id, data, now), NewEvent("points.received", taker_id, data, now)])
    return gift

"""Extending: points get a later end, for one member or for everybody whose points end between two days.

Only lots that end earlier are moved, so a repeat changes nothing and a killed run is simply run again.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db.models import Q, QuerySet, Sum

from members.events.audit_log import write_audit
from members.events.log import NewEvent, write_events
from members.ledger.adjustments import refuse_own_account
from members.ledger.lot_dates import change_ends
from members.ledger.lots import needs_notice
from members.ledger.models import LotChange, PointsAccount, PointsLot, PointType
from members.ledger.posting import lock_account
from members.lib import periods
from members.lib.clock import database_now
from members.lib.transactions import retried
from members.programme.models import Programme

RANGE = 2000


class DayHasPassed(Exception):
    """The new last day must not lie in the past."""


@dataclass(frozen=True)
class Extended:
    """How much got a later end."""

    members: int
    lots: int
    points: int

    def __add__(self, other: "Extended") -> "Extended":
        """Return the sum of two."""
        return Extended(self.members + other.members, self.lots + other.lots, self.points + other.points)


@retried
def extend_lots(*, member_id: int, last_day: date, reason: str, actor_id: int, at: datetime | None = None) -> Extended:
    """Let all points of the member that would end earlier end after ``last_day``, pending ones too.

    Points that have ended stay so. A new notice is needed before the new end. Writes an event and an audit row, unless
    there was nothing to extend. Raises DayHasPassed or OwnAccount.
    """
    refuse_own_account(member_id, actor_id)
    account = lock_account(member_id)
    now = at or database_now()
    end = _end_after(last_day, now)
    lots = _ending_before(end, now).filter(account=account)
    extended = _extend(lots, end, at=now, reason=reason, actor_id=actor_id)
    if extended.lots:
        data = {"lots": extended.lots, "points": extended.points, "last_day": last_day.isoformat()}
        write_audit(
            actor_id=actor_id, action="points.extended", target=f"account {account.pk}", reason=reason, data=data
        )
    return extended


def extend_endings(
    *,
    first_day: date,
    until_day: date,
    last_day: date,
    reason: str,
    actor_id: int | None = None,
    at: datetime | None = None,
    on_progress: Callable[[Extended], None] | None = None,
) -> Extended:
    """Let all points whose last day is ``first_day`` … ``until_day`` end after ``last_day`` instead.

    In ranges of accounts, a transaction each; ``on_progress`` gets the sum so far. Ends with one audit row. Raises
    DayHasPassed.
    """
    now = at or database_now()
    end = _end_after(last_day, now)
    lots = _ending_on(first_day, until_day, end, now)
    total, after = Extended(0, 0, 0), 0
    while account_ids := _next_accounts(lots, after):
        total += _extend_range(lots, account_ids, end, at=now, reason=reason, actor_id=actor_id)
        after = account_ids[-1]
        if on_progress is not None:
            on_progress(total)
    target = f"points ending {first_day} to {until_day}"
    data = {"members": total.members, "lots": total.lots, "points": total.points, "last_day": last_day.isoformat()}
    write_audit(actor_id=actor_id, action="points.extended", target=target, reason=reason, data=data)
    return total


def preview_extension(*, first_day: date, until_day: date, last_day: date, at: datetime | None = None) -> Extended:
    """Return what ``extend_endings`` would do now, without doing it; raises DayHasPassed."""
    now = at or database_now()
    return _count(_ending_on(first_day, until_day, _end_after(last_day, now), now))


def _end_after(last_day: date, now: datetime) -> datetime:
    end = periods.start_of_day(last_day + timedelta(days=1), Programme.current().tz)
    if end <= now:
        raise DayHasPassed(last_day)
    return end


def _ending_before(end: datetime, now: datetime) -> QuerySet[PointsLot]:
    alive = Q(expires_at__gt=now) | Q(notice_due=True)
    lots = PointsLot.objects.filter(alive, remaining__gt=0, expires_at__lt=end)
    return lots.filter(account__point_type=PointType.SPENDABLE)


def _ending_on(first_day: date, until_day: date, end: datetime, now: datetime) -> QuerySet[PointsLot]:
    zone = Programme.current().tz
    begin, close = (periods.start_of_day(day, zone) for day in (first_day, until_day + timedelta(days=1)))
    # A last day of the first means an end after its beginning; one of the last, at the midnight that closes it.
    return _ending_before(end, now).filter(expires_at__gt=begin, expires_at__lte=close)


def _next_accounts(lots: QuerySet[PointsLot], after: int) -> list[int]:
    ids = lots.filter(account_id__gt=after).order_by("account_id").values_list("account_id", flat=True)
    return list(ids.distinct()[:RANGE])


@retried
def _extend_range(
    lots: QuerySet[PointsLot],
    account_ids: list[int],
    end: datetime,
    *,
    at: datetime,
    reason: str,
    actor_id: int | None,
) -> Extended:
    accounts = PointsAccount.objects.select_for_update(no_key=True).filter(pk__in=account_ids).order_by("pk")
    list(accounts.values_list("pk"))
    return _extend(lots.filter(account_id__in=account_ids), end, at=at, reason=reason, actor_id=actor_id)


def _extend(lots: QuerySet[PointsLot], end: datetime, *, at: datetime, reason: str, actor_id: int | None) -> Extended:
    by_member = list(lots.values_list("member_id").annotate(points=Sum("remaining")).order_by("member_id"))
    changed = change_ends(
        lots,
        expires_at=end,
        notice_due=needs_notice(end),
        why=LotChange.Why.EXTENDED,
        at=at,
        actor_id=actor_id,
        reason=reason,
    )
    data = {"expires_at": end.timestamp()}
    write_events(
        [NewEvent("points.extended", member_id, {**data, "points": points}, at) for member_id, points in by_member]
    )
    return Extended(len(by_member), changed, sum(points for _member_id, points in by_member))


def _count(lots: QuerySet[PointsLot]) -> Extended:
    points = lots.aggregate(points=Sum("remaining"))["points"] or 0
    return Extended(lots.values("member_id").distinct().count(), lots.count(), points)

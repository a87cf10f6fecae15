"""Reinstating: expired points come back for a while, within the window of the programme or the tier."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Sum

from members.events.audit_log import write_audit
from members.events.log import write_event
from members.ledger.adjustments import refuse_own_account
from members.ledger.lots import needs_notice
from members.ledger.models import PointsEntry, PointsLot
from members.ledger.movements import Contra, Kind, Movement, credit
from members.ledger.posting import NotPositive, UnknownEntry, lock_account
from members.ledger.windows import windows
from members.lib import periods
from members.lib.clock import database_now
from members.lib.transactions import retried
from members.programme.models import Programme

# The reason of those that the member brought back; staff write their own.
BY_MEMBER = "reinstated"


class CannotReinstate(Exception):
    """The points cannot come back: the window is closed, or so many are not left of what expired."""


@dataclass(frozen=True)
class Offer:
    """So many points can come back, until the exclusive end."""

    points: int
    expires_at: datetime


@retried
def reinstate(
    *,
    entry_id: int,
    reason: str,
    key: str,
    points: int | None = None,
    actor_id: int | None = None,
    at: datetime | None = None,
) -> PointsEntry:
    """Bring expired points back, all that are left of the entry or ``points`` of them, once per key.

    They pay a debt first and last as long as the member's window says (``windows``). Raises UnknownEntry, OwnAccount,
    NotPositive or CannotReinstate.
    """
    expired = PointsEntry.objects.filter(pk=entry_id, kind=Kind.EXPIRE).first()
    if expired is None:
        raise UnknownEntry(entry_id)
    if actor_id is not None:
        refuse_own_account(expired.member_id, actor_id)
    account = lock_account(expired.member_id)
    posted = PointsEntry.objects.filter(key=key).first()
    if posted is not None:
        return posted
    now = at or database_now()
    left = reinstatable([expired], at=now).get(expired.pk, 0)
    points = left if points is None else points
    if points <= 0 < left:
        raise NotPositive(points)
    if not 0 < points <= left:
        raise CannotReinstate(entry_id)
    movement = Movement(
        Kind.REINSTATE, Contra.EXPIRED, points, key, reason, {}, now, related_id=expired.pk, actor_id=actor_id
    )
    end = _end_from(now, account.member_id)
    lot = PointsLot(granted=points, available_from=now, expires_at=end, notice_due=needs_notice(end), has_own_end=True)
    entry = credit(account, movement, [lot])
    _tell(entry)
    return entry


def reinstate_own(*, member_id: int, entry_id: int, at: datetime | None = None) -> PointsEntry:
    """Let a member bring back all that is left of their own expired entry, where the programme lets them.

    Once an entry; a repeat returns the first one. Raises UnknownEntry for the entry of somebody else, or
    CannotReinstate.
    """
    if not Programme.current().members_may_reinstate:
        raise CannotReinstate(entry_id)
    if not PointsEntry.objects.filter(pk=entry_id, member_id=member_id).exists():
        raise UnknownEntry(entry_id)
    return reinstate(entry_id=entry_id, reason=BY_MEMBER, key=f"reinstate:own:{entry_id}", at=at)


def own_offer(*, member_id: int, entry_id: int, at: datetime) -> Offer | None:
    """Return what ``reinstate_own`` would bring back at ``at``, or None."""
    programme = Programme.current()
    entries = PointsEntry.objects.filter(pk=entry_id, member_id=member_id)
    left = reinstatable(entries, at=at).get(entry_id)
    if left is None or not programme.members_may_reinstate:
        return None
    return Offer(left, _end_from(at, member_id))


def _end_from(at: datetime, member_id: int) -> datetime:
    return periods.end_after_days(at, windows([member_id], at)[member_id].lasts, Programme.current().tz)


def reinstatable(entries: Iterable[PointsEntry], *, at: datetime) -> dict[int, int]:
    """Return how many points of each of these entries can come back at ``at``, by entry id, where there are any.

    The window counts days: with 10 of them, on 15 January what expired on 5 January or later can come back.
    """
    ended = [entry for entry in entries if entry.kind == Kind.EXPIRE]
    allowed = windows({entry.member_id for entry in ended}, at) if ended else {}
    zone = Programme.current().tz
    today = periods.local_day(at, zone)
    expired = {
        entry.pk: -entry.points
        for entry in ended
        if (days := allowed[entry.member_id].days) is not None
        and periods.local_day(entry.occurred_at, zone) >= today - timedelta(days=days)
    }
    if not expired:
        return {}
    back = PointsEntry.objects.filter(kind=Kind.REINSTATE, related_id__in=expired)
    came_back = dict(back.values_list("related_id").annotate(points=Sum("points")))
    left = {entry_id: points - came_back.get(entry_id, 0) for entry_id, points in expired.items()}
    return {entry_id: points for entry_id, points in left.items() if points > 0}


def _tell(entry: PointsEntry) -> None:
    data = {"entry": entry.pk, "points": entry.points, "expired": entry.related_id}
    write_event(kind="points.reinstated", member_id=entry.member_id, data=data, occurred_at=entry.occurred_at)
    if entry.actor_id is not None:
        write_audit(
            actor_id=entry.actor_id,
            action="points.reinstated",
            target=f"entry {entry.pk}",
            reason=entry.reason,
            data=data,
        )

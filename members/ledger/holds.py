"""Holds: points set aside for a purchase that is not final yet, then used at most so many, or put back.

HELD → CAPTURED, RELEASED or EXPIRED, never backwards; of what was used, some or all can be given back. A hold
takes its points out of their lots at once, so that nobody can spend them twice; a capture uses them, and what is not
captured goes back to its lots with its age.
"""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Sum

from members.events.audit_log import write_audit
from members.jobs.schedule import Turn, scheduled
from members.ledger.adjustments import refuse_own_account
from members.ledger.ended_holds import ended_holds, expire, put_back, settle, tell
from members.ledger.models import Hold, LotUse, PointsAccount, PointsEntry
from members.ledger.movements import (
    Contra,
    Kind,
    Movement,
    Shares,
    debit,
    home_of,
    insert,
    lock_accounts,
    lock_with_survivor,
    share_parts,
    shares_of,
    total,
)
from members.ledger.posting import (
    choose_spendable,
    lock_account,
    posted_with,
    refund_spend,
    refuse_under_review,
    refuse_unless_positive,
)
from members.lib.clock import database_now
from members.lib.transactions import retried
from members.programme.models import Programme

State = Hold.State

CHUNK = 100


class HoldEnded(Exception):
    """The hold was captured or released before, or its time is over: it cannot make this move."""

    def __init__(self, hold: Hold) -> None:
        super().__init__(f"{hold.public_id} is {hold.state} and runs out at {hold.expires_at.isoformat()}")
        self.state = State(hold.state)


class MoreThanHeld(Exception):
    """A capture uses at most what is held."""

    def __init__(self, *, held: int, asked: int) -> None:
        super().__init__(f"{held} points are held, not {asked}")
        self.held = held


class NotUsed(Exception):
    """Only points of a hold that was used can be given back."""


class EndsAtOnce(Exception):
    """A hold ends later than it begins."""


class KeyOfAnother(Exception):
    """The key was used for another movement of points, or for another member."""


@retried
def hold(
    *,
    member_id: int,
    points: int,
    key: str,
    reason: str,
    data: dict[str, Any] | None = None,
    expires_at: datetime | None = None,
    at: datetime | None = None,
) -> Hold:
    """Set spendable points aside, those that end first, once per key; a repeat returns the first hold.

    It runs out at ``expires_at``, or after the programme's hours for holds; then the points go back by themselves.
    Raises posting.NotPositive, posting.InsufficientPoints, posting.AccountUnderReview, EndsAtOnce or KeyOfAnother.
    """
    refuse_unless_positive(points)
    account = lock_account(member_id)
    known = held_with(key, account)
    if known is not None:
        return known
    refuse_under_review(account)
    now = at or database_now()
    end = expires_at or now + timedelta(hours=Programme.current().hold_hours)
    if end <= now:
        raise EndsAtOnce(end)
    movement = Movement(Kind.HOLD, Contra.HELD, -points, key, reason, data or {}, now)
    entry = debit(account, movement, choose_spendable(account, points, now))
    made = Hold.objects.create(
        account=account,
        member_id=account.member_id,
        entry=entry,
        points=points,
        reason=reason,
        held_at=now,
        expires_at=end,
    )
    tell("points.held", made, entry, points)
    return made


@retried
def capture(
    *,
    hold_id: int,
    points: int | None = None,
    reason: str,
    data: dict[str, Any] | None = None,
    at: datetime | None = None,
) -> PointsEntry:
    """Use a hold, all of it or ``points`` of it, once; a repeat returns the first entry. The rest goes back.

    The points used are the first in spend order. Returns the REDEEM entry, which can be refunded like any other.
    Raises HoldEnded, MoreThanHeld, posting.NotPositive or posting.AccountUnderReview.
    """
    if points is not None:
        refuse_unless_positive(points)
    held, account, home = _lock(hold_id)
    if held.capture_entry is not None:
        return held.capture_entry
    now = at or database_now()
    if held.state != State.HELD or held.expires_at <= now:
        raise HoldEnded(held)
    if points is not None and points > held.points:
        raise MoreThanHeld(held=held.points, asked=points)
    refuse_under_review(account)
    used = share_parts(shares_of(held.entry), points or held.points)
    entry = _use(held, account, used, reason=reason, data=data or {}, now=now)
    settle(held, state=State.CAPTURED, at=now, captured=total(used), capture_entry=entry)
    tell("points.captured", held, entry, total(used))
    rest = _without(shares_of(held.entry), used)
    if rest:
        put_back(held, home, rest, reason=held.reason, at=now)
    return entry


@retried
def release(
    *,
    hold_id: int,
    at: datetime | None = None,
    by_seller: bool = False,
    reason: str = "",
    actor_id: int | None = None,
) -> Hold:
    """Put all points of an open hold back into their lots, once; a repeat changes nothing.

    They keep their age; those whose date has passed get the courtesy days only when we cancelled (``by_seller``). A
    staff member's release (``actor_id``) leaves an audit row. Raises HoldEnded when the hold was captured,
    adjustments.OwnAccount when the points are the staff member's own.
    """
    held, _account, home = _lock(hold_id)
    if actor_id is not None:
        refuse_own_account(held.member_id, actor_id)
    if held.state == State.CAPTURED:
        raise HoldEnded(held)
    if held.state != State.HELD:
        return held
    now = at or database_now()
    settle(held, state=State.RELEASED, at=now)
    put_back(held, home, shares_of(held.entry), reason=reason or held.reason, at=now, by_seller=by_seller)
    if actor_id is not None:
        write_audit(actor_id=actor_id, action="hold.released", target=held.public_id, reason=reason)
    return held


@retried
def refund(
    *,
    hold_id: int,
    points: int | None = None,
    key: str,
    reason: str,
    by_seller: bool = False,
    at: datetime | None = None,
) -> PointsEntry:
    """Give points of a used hold back, ``points`` of them or what is left, once per key, as posting.refund_spend does.

    All refunds together are at most what was used. Raises NotUsed, posting.MoreThanSpent or posting.NotPositive.
    """
    held, _account, _home = _lock(hold_id)
    if held.capture_entry_id is None:
        raise NotUsed(held.public_id)
    is_repeat = posted_with(key) is not None
    entry = refund_spend(
        entry_id=held.capture_entry_id, key=key, reason=reason, points=points, at=at, by_seller=by_seller
    )
    if not is_repeat and entry.key == key:
        tell("points.refunded", held, entry, entry.points)
    return entry


def refunded_points(held: Hold) -> int:
    """Return how many points of a used hold were given back."""
    refunds = PointsEntry.objects.filter(kind=Kind.REFUND, related_id=held.capture_entry_id)
    return 0 if held.capture_entry_id is None else refunds.aggregate(points=Sum("points"))["points"] or 0


def expire_holds(*, at: datetime | None = None, turn: Turn | None = None) -> int:
    """Put back the points of every hold that has run out at ``at``, each once; return how many.

    In ranges of holds by the order of their ends; a killed run carries on by being run again.
    """
    now = at or database_now()
    ended = 0
    while True:
        due = list(ended_holds(now).order_by("expires_at", "pk").values_list("pk", flat=True)[:CHUNK])
        if not due:
            return ended
        ended += _expire_chunk(due, now, turn, ended)


@retried
def _expire_chunk(hold_ids: list[int], now: datetime, turn: Turn | None, before: int) -> int:
    account_ids = set(Hold.objects.filter(pk__in=hold_ids).values_list("account", flat=True))
    locked = lock_accounts(account_ids | {home_of(account_id) for account_id in account_ids})
    # Read under the locks: one that was captured while we waited is not due any more.
    due = list(ended_holds(now).filter(pk__in=hold_ids).select_related("entry").order_by("pk"))
    for held in due:
        home = home_of(held.account_id)
        if home not in locked:
            locked |= lock_accounts([home])
        expire(held, locked[home], at=now)
    if turn is not None:
        turn.checkpoint(0, done=before + len(due), total=before + len(due))
    return len(due)


@scheduled("expire-holds", every=timedelta(minutes=5))
def expire_holds_job(turn: Turn) -> dict[str, Any]:
    """Put back what has run out, every five minutes."""
    return {"holds": expire_holds(turn=turn)}


def held_with(key: str, account: PointsAccount) -> Hold | None:
    """Return the hold of this account that was made with the key.

    Raises KeyOfAnother when the key was used for another movement or for another member.
    """
    entry = posted_with(key)
    if entry is None:
        return None
    known = Hold.objects.filter(entry=entry).first()
    # Before a merge it may have been a hold of the member who ended in this one.
    if known is None or home_of(known.account_id) != account.pk:
        raise KeyOfAnother(key)
    return known


def _lock(hold_id: int) -> tuple[Hold, PointsAccount, PointsAccount]:
    """Lock the hold's account and the one its points come back to, then read the hold. Raises Hold.DoesNotExist."""
    account_id = Hold.objects.values_list("account", flat=True).get(pk=hold_id)
    account, home = lock_with_survivor(account_id)
    return Hold.objects.select_related("entry", "capture_entry").get(pk=hold_id), account, home


def _use(
    held: Hold, account: PointsAccount, used: Shares, *, reason: str, data: dict[str, Any], now: datetime
) -> PointsEntry:
    """Move points from held to redeemed: back into their lots and out again in one instant, so no lot changes."""
    name, points = f"hold:{held.public_id}", total(used)
    back = Movement(
        Kind.CAPTURE, Contra.HELD, points, f"{name}:capture", held.reason, {}, now,
        related_id=held.entry_id, recorded_at=database_now(),
    )  # fmt: skip
    out = replace(
        back, kind=Kind.REDEEM, contra=Contra.REDEEMED, points=-points, key=f"{name}:redeem", reason=reason,
        breakdown=data,
    )  # fmt: skip
    captured, redeemed = insert(account, back), insert(account, out)
    LotUse.objects.bulk_create(LotUse(entry=captured, lot=lot, points=-part) for lot, part in used)
    LotUse.objects.bulk_create(LotUse(entry=redeemed, lot=lot, points=part) for lot, part in used)
    return redeemed


def _without(shares: Shares, used: Shares) -> Shares:
    gone = {lot.pk: points for lot, points in used}
    left = [(lot, points - gone.get(lot.pk, 0)) for lot, points in shares]
    return [(lot, points) for lot, points in left if points]

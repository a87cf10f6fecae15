"""Posting: giving, spending, giving back, taking back and correcting points, one function each.

Every function that decides an amount locks the account in a statement of its own and reads afterwards: locking and
summing in one SELECT decides on figures from before the lock.
"""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from typing import Any

from django.db.models import Subquery, Sum
from django.db.models.functions import Coalesce

from members.accounts.models import Member
from members.events.audit_log import write_audit
from members.events.log import write_event
from members.ledger import lots
from members.ledger.ended_holds import put_ended_back
from members.ledger.maximum import room_for
from members.ledger.models import LotUse, PointsAccount, PointsEntry, PointsLot, PointType
from members.ledger.movements import (
    Contra,
    Kind,
    Movement,
    Shares,
    credit,
    debit,
    filled_lots,
    first_entries,
    give_back,
    insert,
    is_over,
    lock_with_survivor,
    share,
    share_parts,
    shares_of,
    spendable_lots,
    total,
)
from members.ledger.policies import Override
from members.lib.clock import database_now
from members.lib.transactions import retried
from members.programme.models import Programme


class InsufficientPoints(Exception):
    """The member has fewer spendable points than asked for."""

    def __init__(self, *, spendable: int, asked: int) -> None:
        super().__init__(f"{asked - spendable} points missing")
        self.spendable = spendable
        self.missing = asked - spendable


class NotPositive(Exception):
    """An amount of points must be a whole number above zero."""


class UnknownEntry(Exception):
    """There is no such entry to reverse."""


class MoreThanSpent(Exception):
    """Only what was spent, and not given back before, can be given back."""

    def __init__(self, *, left: int, asked: int) -> None:
        super().__init__(f"{left} points are left to give back, not {asked}")
        self.left = left


class AccountUnderReview(Exception):
    """The books of this account do not add up: nothing leaves it until they do. Earning goes on."""


def open_accounts(member_ids: Iterable[int]) -> None:
    """Open the points accounts of new members; harmless for those that have one."""
    rows = [PointsAccount(member_id=member_id, point_type=kind) for member_id in member_ids for kind in PointType]
    PointsAccount.objects.bulk_create(rows, ignore_conflicts=True)


def lock_account(member_id: int, point_type: PointType = PointType.SPENDABLE, *, follow: bool = True) -> PointsAccount:
    """Lock the member's points account until the end of the transaction and return it as it is now.

    What is meant for a merged member goes to the account of the one that stays, unless ``follow`` is off. Inserting
    rows that point at the account does not wait for this lock. Raises PointsAccount.DoesNotExist.
    """
    accounts = PointsAccount.objects.select_for_update(no_key=True).filter(point_type=point_type)
    if not follow:
        return accounts.get(member_id=member_id)
    merged_into = Member.objects.filter(pk=member_id).values("merged_into")
    return accounts.get(member_id=Coalesce(Subquery(merged_into), member_id))


@retried
def grant(
    *,
    member_id: int,
    points: int,
    key: str,
    reason: str,
    data: dict[str, Any] | None = None,
    at: datetime | None = None,
    available_from: datetime | None = None,
    expires_at: datetime | None = None,
    override: Override = None,
    point_type: PointType = PointType.SPENDABLE,
) -> PointsEntry:
    """Give points as a gift, once per key; a repeat returns the first entry.

    They are usable from ``available_from`` (at once unless given) and end by the programme's policy, with the months
    of ``override`` where a rule has its own, or at ``expires_at``; status points never end. What would go above the
    programme's maximum is not given: the breakdown tells it, and nothing left is an entry of 0 without an event.
    Raises NotPositive.
    """
    refuse_unless_positive(points)
    account = lock_account(member_id, point_type)
    posted = posted_with(key)
    if posted is not None:
        return posted
    now = at or database_now()
    asked, points, data = points, _within_maximum(account, points, now), data or {}
    if points < asked:
        data = data | {"maximum": {"asked": asked, "points": points, "limit": Programme.current().maximum_balance}}
    movement = Movement(Kind.GRANT, Contra.ISSUED, points, key, reason, data, now)
    if not points:
        return insert(account, movement)
    lot = _new_lot(account, points, available_from or now, override=override)
    if expires_at is not None:
        lot.expires_at, lot.notice_due = expires_at, lots.needs_notice(expires_at)
        lot.has_own_end = True
    entry = credit(account, movement, [lot])
    told = {"entry": entry.pk, "points": points} | _type_of(account)
    write_event(kind="points.granted", member_id=member_id, data=told, occurred_at=now)
    return entry


@retried
def spend(
    *,
    member_id: int,
    points: int,
    key: str,
    reason: str,
    data: dict[str, Any] | None = None,
    at: datetime | None = None,
) -> PointsEntry:
    """Take points from the lots that expire first, once per key; a repeat returns the first entry.

    The caller writes the event that says what for. Raises InsufficientPoints (nothing is taken), AccountUnderReview or
    NotPositive.
    """
    refuse_unless_positive(points)
    account = lock_account(member_id)
    posted = posted_with(key)
    if posted is not None:
        return posted
    refuse_under_review(account)
    now = at or database_now()
    return take_spendable(account, Movement(Kind.REDEEM, Contra.REDEEMED, -points, key, reason, data or {}, now))


@retried
def refund_spend(
    *,
    entry_id: int,
    key: str,
    reason: str,
    points: int | None = None,
    at: datetime | None = None,
    by_seller: bool = False,
) -> PointsEntry:
    """Put points of a redemption back into the lots they came from, once per key; a repeat returns the first entry.

    ``points`` None gives back whatever is left; when all of it came back before, that refund is returned. A part goes
    first to the lots with the longest life, and all parts together are at most what was spent. Points keep their age.
    Where the date has passed they expire with the next sweep, unless we cancelled (``by_seller``): then they stay
    usable for the programme's courtesy days. After a merge they come back to the survivor. Raises UnknownEntry,
    MoreThanSpent or NotPositive.
    """
    spent = PointsEntry.objects.filter(pk=entry_id, kind=Kind.REDEEM).first()
    if spent is None:
        raise UnknownEntry(entry_id)
    if points is not None:
        refuse_unless_positive(points)
    _account, home = lock_with_survivor(spent.account_id)
    refunds = list(PointsEntry.objects.filter(kind=Kind.REFUND, related_id=entry_id).order_by("pk"))
    repeated = next((refund for refund in refunds if refund.key == key), None)
    left = -spent.points - sum(refund.points for refund in refunds)
    if repeated is not None or (points is None and not left):
        return repeated or refunds[-1]
    if points is not None and points > left:
        raise MoreThanSpent(left=left, asked=points)
    shares = share_parts(_not_given_back(spent, refunds), points or left)
    now = at or database_now()
    movement = Movement(Kind.REFUND, Contra.REDEEMED, total(shares), key, reason, {}, now, related_id=spent.pk)
    return give_back(home, movement, shares, by_seller=by_seller)


def _not_given_back(spent: PointsEntry, refunds: list[PointsEntry]) -> Shares:
    """Return what is left of each lot's share in a redemption, the longest life first."""
    ids = [refund.pk for refund in refunds]
    back = LotUse.objects.filter(entry__in=ids, points__lt=0).values_list("lot").annotate(points=-Sum("points"))
    moved = PointsLot.objects.filter(entry__in=ids).values_list("moved_from_id").annotate(points=Sum("granted"))
    came = dict(back) if refunds else {}
    for lot_id, points in moved if refunds else ():
        came[lot_id] = came.get(lot_id, 0) + points
    return [(lot, points - came.get(lot.pk, 0)) for lot, points in reversed(shares_of(spent))]


@retried
def take_back(
    *,
    member_id: int,
    points: int,
    key: str,
    reason: str,
    data: dict[str, Any] | None = None,
    at: datetime | None = None,
    first_from_entry: int | None = None,
) -> PointsEntry:
    """Take back points that should not stay, once per key, first from the lot they were given in.

    Pending points go before spendable ones. What the balance cannot cover becomes a recorded shortfall or a visible
    debt, as the programme says. Raises NotPositive.
    """
    refuse_unless_positive(points)
    account = lock_account(member_id)
    posted = posted_with(key)
    if posted is not None:
        return posted
    now = at or database_now()
    asked = Movement(Kind.TAKE_BACK, Contra.REVERSED, -points, key, reason, data or {}, now)
    return _take_what_there_is(account, asked, now=now, first_from_entry=first_from_entry)


def _take_what_there_is(
    account: PointsAccount, asked: Movement, *, now: datetime, first_from_entry: int | None = None
) -> PointsEntry:
    points = -asked.points
    put_ended_back(account, at=now)
    takes = share(_lots_to_take_back(account.pk, first_from_entry, now), points)
    missing = points - total(takes)
    as_debt = missing if Programme.current().debt_policy == Programme.DebtPolicy.DEBT else 0
    breakdown = dict(asked.breakdown, asked=points, shortfall=missing - as_debt, debt=as_debt)
    movement = replace(asked, points=-(points - missing + as_debt), breakdown=breakdown)
    return debit(account, movement, takes, debt=as_debt)


@retried
def adjust(
    *,
    member_id: int,
    points: int,
    key: str,
    reason: str,
    actor_id: int,
    at: datetime | None = None,
    point_type: PointType = PointType.SPENDABLE,
) -> PointsEntry:
    """Correct a balance by a new entry, once per key, with an audit row; the caller has checked who may.

    A negative correction takes spendable points by the usual order. Raises InsufficientPoints or NotPositive (for 0).
    """
    if points == 0:
        raise NotPositive
    account = lock_account(member_id, point_type)
    posted = posted_with(key)
    if posted is not None:
        return posted
    now = at or database_now()
    movement = Movement(Kind.ADJUST, Contra.ADJUSTED, points, key, reason, {}, now, actor_id=actor_id)
    if points > 0:
        entry = credit(account, movement, [_new_lot(account, points, now)])
    else:
        entry = take_spendable(account, movement)
    data = {"entry": entry.pk, "points": points} | _type_of(account)
    write_event(kind="points.adjusted", member_id=member_id, data=data, occurred_at=now)
    write_audit(actor_id=actor_id, action="points.adjusted", target=f"entry {entry.pk}", reason=reason, data=data)
    return entry


def take_spendable(account: PointsAccount, movement: Movement) -> PointsEntry:
    """Write a debit of spendable points of the locked account, by spend order. Raises InsufficientPoints."""
    return debit(account, movement, choose_spendable(account, -movement.points, movement.at))


def choose_spendable(account: PointsAccount, points: int, at: datetime) -> Shares:
    """Return which lots of the locked account give so many points; what ended holds kept is among them.

    Raises InsufficientPoints.
    """
    put_ended_back(account, at=at)
    takes = share(spendable_lots(account.pk, at), points)
    if total(takes) < points:
        raise InsufficientPoints(spendable=total(takes), asked=points)
    return takes


def refuse_unless_positive(points: int) -> None:
    """Raise NotPositive for an amount that is not above zero."""
    if points <= 0:
        raise NotPositive(points)


def refuse_under_review(*accounts: PointsAccount) -> None:
    """Raise AccountUnderReview when one of the locked accounts is blocked."""
    if any(account.blocked_at is not None for account in accounts):
        raise AccountUnderReview


def posted_with(key: str) -> PointsEntry | None:
    """Return the entry that has this key, if it was posted before."""
    return PointsEntry.objects.filter(key=key).first()


def _new_lot(account: PointsAccount, points: int, available_from: datetime, *, override: Override = None) -> PointsLot:
    if account.point_type == PointType.STATUS:
        return PointsLot(granted=points, available_from=available_from)
    lot = lots.new_lot(points, available_from=available_from, override=override)
    return PointsLot(
        granted=points, available_from=lot.available_from, expires_at=lot.expires_at, notice_due=lot.notice_due
    )


def _within_maximum(account: PointsAccount, points: int, at: datetime) -> int:
    """Return how many of the points the locked account still takes; status points have no maximum."""
    if account.point_type != PointType.SPENDABLE or Programme.current().maximum_balance is None:
        return points
    room = room_for(account.member_id, max(at, database_now()))
    return points if room is None else min(points, room)


def _type_of(account: PointsAccount) -> dict[str, str]:
    """Return what an event says of the points' type: nothing for spendable ones."""
    return {} if account.point_type == PointType.SPENDABLE else {"point_type": account.point_type}


def _lots_to_take_back(account_id: int, first_from_entry: int | None, now: datetime) -> list[PointsLot]:
    lots = list(filled_lots(account_id))
    given = first_entries(lots) if first_from_entry else {}
    return sorted(
        lots,
        key=lambda lot: (
            given.get(lot.pk) != first_from_entry,
            lot.available_from is not None and lot.available_from <= now,
            is_over(lot, now),
        ),
    )

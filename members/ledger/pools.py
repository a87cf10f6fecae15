"""Spending together: what a member's own points do not cover comes from those who share theirs.

Each keeps an account of their own. Who shares with whom is decided above (``PoolSource``); here all accounts of the
pool are locked at once, in one order, and the missing points move by transfers in the transaction of the spending.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol

from django.db import connection
from django.db.models import Q

from members.accounts.access import surviving_id
from members.accounts.models import Member
from members.ledger import posting
from members.ledger.locking import lock_accounts
from members.ledger.models import PointsAccount, PointsEntry, PointsLot, PointType
from members.ledger.movements import SPEND_ORDER
from members.ledger.spending_sql import spend_at_once
from members.ledger.statements import spendable_points
from members.ledger.transfers import transfer
from members.lib.clock import database_now
from members.lib.transactions import retried

REASON = "household"
BACK = "household-back"


@dataclass(frozen=True)
class Share:
    """One of the others in the pool: so many of their points may be used now; None for all of them."""

    member_id: int
    limit: int | None


@dataclass(frozen=True)
class Use:
    """So many points of one that helped another in the spending with this key."""

    giver_id: int
    taker_id: int
    points: int
    key: str


class PoolSource(Protocol):
    """Who shares points with a member, and a note of each use."""

    def shares_with(self, member_id: int, at: datetime) -> list[Share]:
        """Return the others whose points the member may use at ``at``."""

    def note_use(self, use: Use, *, at: datetime) -> None:
        """Remember that the points were used; it counts against the giver's limit."""

    def uses_for(self, key: str) -> list[Use]:
        """Return what helped the spending with this key and was not given back."""

    def note_given_back(self, key: str, *, at: datetime) -> None:
        """Remember that what helped this spending was given back."""


# At most one: without it everybody is alone.
sources: list[PoolSource] = []


@dataclass(frozen=True)
class Pool:
    """The accounts that this transaction holds for one spending member."""

    member_id: int
    locked: frozenset[int]
    # The member's own, as it is under the lock.
    account: PointsAccount | None = None


@dataclass(frozen=True)
class SharedPoints:
    """Usable points of one of the others, as far as their limit allows."""

    member_id: int
    points: int


def lock_pool(member_id: int) -> Pool:
    """Lock the spendable accounts of the member and of all who share with it, by id, alone in a statement.

    Who joins the pool while we wait is left out this time. Raises PointsAccount.DoesNotExist.
    """
    # Whom to lock, not how much: the host's clock will do, and spares every redemption a statement.
    ids = [member_id, *(share.member_id for share in _shares(member_id, datetime.now(UTC)))]
    accounts = lock_accounts(ids)
    if member_id not in accounts:
        raise PointsAccount.DoesNotExist(member_id)
    return Pool(member_id, frozenset(accounts), accounts[member_id])


def shared_points(member_id: int, at: datetime) -> list[SharedPoints]:
    """Return what each of the others shares with the member at ``at``, those with nothing left out."""
    taken = _take(_shares(member_id, at), None, at)
    return [SharedPoints(giver_id, points) for giver_id, points in sorted(taken.items())]


def pooled_points(member_id: int, at: datetime) -> int:
    """Return what the member can spend at ``at``: the own usable points and those that others share."""
    return spendable_points(member_id, at) + sum(share.points for share in shared_points(member_id, at))


@retried
def spend_from_pool(
    *,
    pool: Pool,
    points: int,
    key: str,
    reason: str,
    data: dict[str, Any] | None = None,
    at: datetime | None = None,
) -> PointsEntry:
    """Spend the own points first, then those of the others, soonest end first over all of them; once per key.

    The pool was locked with ``lock_pool`` in this transaction. What is missing moves to the member by transfers that
    keep dates; a repeat returns the first entry. Raises InsufficientPoints (nothing is taken) or NotPositive.
    """
    if points <= 0:
        raise posting.NotPositive(points)
    now = at or database_now()
    spent = _spend_own_at_once(pool, points=points, key=key, reason=reason, data=data or {}, at=now)
    if spent is not None:
        return spent
    posted = PointsEntry.objects.filter(key=key).first()
    if posted is not None:
        return posted
    own = spendable_points(pool.member_id, now)
    if own < points:
        _top_up(pool, points=points, own=own, key=key, at=now)
    return posting.spend(member_id=pool.member_id, points=points, key=key, reason=reason, data=data, at=now)


def _spend_own_at_once(
    pool: Pool, *, points: int, key: str, reason: str, data: dict[str, Any], at: datetime
) -> PointsEntry | None:
    """Spend the member's own points by one statement, where the database knows how and they are enough."""
    account = pool.account
    if connection.vendor != "postgresql" or account is None or account.blocked_at is not None:
        return None
    return spend_at_once(account, points=points, key=key, reason=reason, data=data, at=at)


def lock_for_refund(*, member_id: int, key: str) -> None:
    """Lock the account that was spent from and those that helped, by id, before a spending is undone."""
    lock_accounts([member_id, *(surviving_id(use.giver_id) for use in _uses(key))])


def give_back(*, key: str, at: datetime) -> None:
    """Give the others what helped a spending that was undone just now, once; points that have ended meanwhile stay.

    The accounts were locked with ``lock_for_refund`` in this transaction.
    """
    for use in _uses(key):
        points = min(use.points, spendable_points(use.taker_id, at))
        if points:
            transfer(
                from_member_id=use.taker_id,
                to_member_id=surviving_id(use.giver_id),
                points=points,
                key=f"{key}:back:{use.giver_id}",
                reason=BACK,
                at=at,
            )
    for source in sources:
        source.note_given_back(key, at=at)


def _uses(key: str) -> list[Use]:
    return [use for source in sources for use in source.uses_for(key)]


def _top_up(pool: Pool, *, points: int, own: int, key: str, at: datetime) -> None:
    # Read after the lock: who left meanwhile does not share any more.
    shares = [share for share in _shares(pool.member_id, at) if share.member_id in pool.locked]
    takes = _take(shares, points - own, at)
    if sum(takes.values()) < points - own:
        raise posting.InsufficientPoints(spendable=own + sum(takes.values()), asked=points)
    numbers = dict(Member.objects.filter(pk__in=[pool.member_id, *takes]).values_list("pk", "number"))
    for giver_id, taken in sorted(takes.items()):
        transfer(
            from_member_id=giver_id,
            to_member_id=pool.member_id,
            points=taken,
            key=f"{key}:from:{giver_id}",
            reason=REASON,
            data={"giver": numbers[giver_id][-4:], "taker": numbers[pool.member_id][-4:]},
            at=at,
        )
        for source in sources:
            source.note_use(Use(giver_id, pool.member_id, taken, key), at=at)


def _shares(member_id: int, at: datetime) -> list[Share]:
    return [share for source in sources for share in source.shares_with(member_id, at)]


def _take(shares: list[Share], wanted: int | None, at: datetime) -> dict[int, int]:
    """Return how much of whom is taken: the lots of all that end first, within each one's limit."""
    limits = {share.member_id: share.limit for share in shares}
    if not limits:
        return {}
    alive = Q(expires_at=None) | Q(expires_at__gt=at) | Q(notice_due=True)
    lots = PointsLot.objects.filter(
        alive,
        account__member__in=limits,
        account__point_type=PointType.SPENDABLE,
        account__blocked_at=None,
        remaining__gt=0,
        available_from__lte=at,
    )
    takes: dict[int, int] = {}
    for member_id, remaining in lots.order_by(*SPEND_ORDER).values_list("member_id", "remaining"):
        taken, limit = takes.get(member_id, 0), limits[member_id]
        take = min(remaining, remaining if limit is None else limit - taken)
        if wanted is not None:
            take = min(take, wanted)
            wanted -= max(take, 0)
        if take > 0:
            takes[member_id] = taken + take
    return takes

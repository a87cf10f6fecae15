"""Holds whose time is over: their points belong to their lots again, whether or not the job has written it.

What is read counts them as usable; whoever decides about an account puts its own back first, under the lock.
"""

from datetime import datetime
from typing import Any

from django.db.models import QuerySet

from members.events.log import write_event
from members.ledger.models import Hold, PointsAccount, PointsEntry
from members.ledger.movements import Contra, Kind, Movement, Shares, give_back, shares_of, total

State = Hold.State


def ended_holds(at: datetime) -> QuerySet[Hold]:
    """Return the holds that have run out at ``at`` and whose points nobody has put back."""
    return Hold.objects.filter(state=State.HELD, expires_at__lte=at)


def put_ended_back(account: PointsAccount, *, at: datetime) -> None:
    """Put back what the locked account's own holds kept that have run out; one read when there are none."""
    due = ended_holds(at).filter(member_id=account.member_id, account_id=account.pk)
    for held in due.select_related("entry").order_by("pk"):
        expire(held, account, at=at)


def expire(held: Hold, home: PointsAccount, *, at: datetime) -> None:
    """Put the points of one hold back that has run out; both accounts are locked."""
    settle(held, state=State.EXPIRED, at=at)
    put_back(held, home, shares_of(held.entry), reason=held.reason, at=at)


def put_back(
    held: Hold, home: PointsAccount, shares: Shares, *, reason: str, at: datetime, by_seller: bool = False
) -> None:
    """Write what goes back to its lots, with its age, and tell it."""
    key, points = f"hold:{held.public_id}:release", total(shares)
    movement = Movement(Kind.RELEASE, Contra.HELD, points, key, reason, {}, at, related_id=held.entry_id)
    entry = give_back(home, movement, shares, by_seller=by_seller)
    tell("points.released", held, entry, points)


def settle(held: Hold, *, state: State, at: datetime, captured: int = 0, capture_entry: Any = None) -> None:
    """End a hold."""
    held.state, held.settled_at, held.captured, held.capture_entry = state, at, captured, capture_entry
    held.save(update_fields=["state", "settled_at", "captured", "capture_entry"])


def tell(kind: str, held: Hold, entry: PointsEntry, points: int) -> None:
    """Write the event of a movement of a hold."""
    data = {"hold": held.pk, "entry": entry.pk, "points": points}
    write_event(kind=kind, member_id=entry.member_id, data=data, occurred_at=entry.occurred_at)

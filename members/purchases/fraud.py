"""Purchases that staff mark as fraud: all they gave is taken back, and the tier is looked at at once.

What goes back is what a return of all that is left would take, by the same code and under a key of its own. Afterwards
the purchase cannot be returned, nor can its receipt be claimed.
"""

from datetime import datetime

from django.db.models import Q

from members.accounts.access import surviving_id
from members.accounts.models import Member
from members.events.audit_log import write_audit
from members.events.log import write_event
from members.ledger.adjustments import AlreadyDecided, SecondPersonNeeded, refuse_own_account
from members.ledger.models import PointsEntry, PointType
from members.lib import periods
from members.lib.clock import database_now
from members.lib.invoices import Receipt
from members.lib.transactions import retried
from members.programme.models import Programme
from members.purchases.drafts import Named, ReturnDraft
from members.purchases.models import FraudMark, Purchase, Return
from members.purchases.returns import ReturnPreview, preview_return, record_return
from members.purchases.unclaimed import folded
from members.tiers.judging import review_at_once

SOURCE = "fraud-mark"
State = FraudMark.State


class AlreadyMarked(Exception):
    """The purchase is marked, or waits for a second person."""


@retried
def mark_as_fraud(*, purchase_id: int, actor_id: int, reason: str) -> FraudMark:
    """Mark a purchase as fraud, once; above the programme's limit of corrections it waits for a second person.

    The limit looks at the points that the purchase earned. Raises Purchase.DoesNotExist, AlreadyMarked,
    adjustments.OwnAccount.
    """
    purchase = Purchase.objects.get(pk=purchase_id)
    _lock_member(purchase)
    refuse_own_account(purchase.member_id, actor_id)
    _refuse_marked(purchase_id)
    now = database_now()
    zone = Programme.current().tz
    fields = {
        "state": State.WAITING,
        "reason": reason,
        "points": _earned(purchase_id),
        "receipt": folded(purchase.number),
        "day": periods.local_day(purchase.purchased_at, zone),
        "requested_by_id": actor_id,
        "requested_at": now,
        "decided_by_id": None,
        "decided_at": None,
    }
    mark, _made = FraudMark.objects.update_or_create(purchase=purchase, defaults=fields)
    if mark.points <= Programme.current().adjustment_limit:
        _take_effect(mark, actor_id=actor_id, at=now)
    return mark


@retried
def approve_fraud(*, mark_id: int, actor_id: int) -> FraudMark:
    """Agree as the second person: the mark takes effect. Raises AlreadyDecided, SecondPersonNeeded, OwnAccount."""
    mark = _waiting(mark_id, actor_id)
    _take_effect(mark, actor_id=actor_id, at=database_now())
    return mark


@retried
def refuse_fraud(*, mark_id: int, actor_id: int, reason: str) -> FraudMark:
    """Turn a waiting mark down; the purchase stays as it is. Raises AlreadyDecided, SecondPersonNeeded, OwnAccount."""
    mark = _waiting(mark_id, actor_id)
    _close(mark, State.REFUSED, actor_id=actor_id, at=database_now())
    target = f"purchase {mark.purchase_id}"
    write_audit(actor_id=actor_id, action="purchase.fraud_refused", target=target, reason=reason)
    return mark


def preview_fraud(purchase: Purchase) -> ReturnPreview:
    """Return what the mark would take back now; writes nothing. Raises AlreadyMarked."""
    _refuse_marked(purchase.pk)
    return preview_return(draft=_draft(purchase, database_now()))


def is_of_fraud(receipt: Receipt) -> bool:
    """Tell whether the receipt is that of a purchase that was marked as fraud."""
    number = Q(receipt=receipt.number) | Q(purchase__invoice=receipt.number)
    marks = FraudMark.objects.filter(number, state=State.APPROVED, day=receipt.day)
    return marks.filter(purchase__currency=receipt.currency, purchase__amount=receipt.amount).exists()


def _refuse_marked(purchase_id: int) -> None:
    if FraudMark.objects.filter(purchase=purchase_id).exclude(state=State.REFUSED).exists():
        raise AlreadyMarked(purchase_id)


def _waiting(mark_id: int, actor_id: int) -> FraudMark:
    _lock_member(FraudMark.objects.select_related("purchase").get(pk=mark_id).purchase)
    mark = FraudMark.objects.select_related("purchase").get(pk=mark_id)
    if mark.state != State.WAITING:
        raise AlreadyDecided(mark_id)
    if mark.requested_by_id == actor_id:
        raise SecondPersonNeeded(mark_id)
    refuse_own_account(mark.purchase.member_id, actor_id)
    return mark


def _lock_member(purchase: Purchase) -> None:
    # The member's row, not the account: accounts are locked after the keys of documents.
    Member.objects.select_for_update(no_key=True).get(pk=surviving_id(purchase.member_id))


def _earned(purchase_id: int) -> int:
    earned = PointsEntry.objects.filter(purchase_id=purchase_id, kind=PointsEntry.Kind.EARN)
    return earned.filter(point_type=PointType.SPENDABLE).values_list("points", flat=True).first() or 0


def _draft(purchase: Purchase, at: datetime) -> ReturnDraft:
    return ReturnDraft(
        source=SOURCE,
        number=str(purchase.pk),
        member_id=purchase.member_id,
        returned_at=at,
        currency=purchase.currency,
        lines=(),
        origin="staff",
        purchase=Named(purchase.source, purchase.number),
        kind=Return.Kind.VOID,
    )


def _take_effect(mark: FraudMark, *, actor_id: int, at: datetime) -> None:
    purchase = mark.purchase
    recorded = record_return(draft=_draft(purchase, at))
    _close(mark, State.APPROVED, actor_id=actor_id, at=at)
    member_id = surviving_id(purchase.member_id)
    data = {"purchase": purchase.pk, "return": recorded.return_id, "points": -recorded.points_taken}
    write_event(kind="purchase.marked_as_fraud", member_id=member_id, data=data, occurred_at=at)
    target = f"purchase {purchase.pk}"
    write_audit(actor_id=actor_id, action="purchase.marked_as_fraud", target=target, reason=mark.reason, data=data)
    # After the points: it looks at the figures as the mark leaves them.
    review_at_once(member_id=member_id, at=database_now())


def _close(mark: FraudMark, state: State, *, actor_id: int, at: datetime) -> None:
    mark.state, mark.decided_by_id, mark.decided_at = state, actor_id, at
    mark.save(update_fields=["state", "decided_by", "decided_at"])

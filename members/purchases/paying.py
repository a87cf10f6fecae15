"""Purchases that were paid in part with points: which hold paid, and what of it goes back when goods come back.

Of the points that the hold used, round(points × share of the price that is back) have to be back in all, so that parts
add up exactly. Without a hold named nothing goes back here: whoever spent the points refunds them.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from django.db.models import Sum

from members.accounts.access import surviving_id
from members.ledger.models import Hold, PointsEntry
from members.purchases.drafts import PurchaseDraft
from members.purchases.models import PurchaseHold


class WrongHold(Exception):
    """The hold is not of this member, was not captured, or paid for another purchase."""


@dataclass
class Paid:
    """The points that a hold used for a purchase, and how many of them are back."""

    entry_id: int
    points: int
    back: int


def captured_hold(public_id: str, *, member_id: int) -> Hold:
    """Return the member's captured hold; after a merge also one of the member who ended. Raises WrongHold."""
    held = Hold.objects.filter(public_id=public_id, state=Hold.State.CAPTURED).first()
    if held is None or surviving_id(held.member_id) != surviving_id(member_id):
        raise WrongHold(public_id)
    return held


def link_holds(drafts: Sequence[PurchaseDraft], purchase_ids: Sequence[int]) -> list[bool]:
    """Write which hold paid for each purchase; tell for each whether it is the one that was named first.

    In the transaction that recorded the purchases. Raises WrongHold.
    """
    return [
        _link(draft, purchase_id) if draft.hold else True
        for draft, purchase_id in zip(drafts, purchase_ids, strict=True)
    ]


def _link(draft: PurchaseDraft, purchase_id: int) -> bool:
    held = captured_hold(draft.hold, member_id=draft.member_id)
    # Of two purchases that name one hold at once the second waits here.
    Hold.objects.select_for_update(no_key=True).get(pk=held.pk)
    taken = PurchaseHold.objects.filter(hold=held).values_list("purchase_id", flat=True).first()
    if taken is not None and taken != purchase_id:
        raise WrongHold(draft.hold)
    link, _made = PurchaseHold.objects.get_or_create(purchase_id=purchase_id, defaults={"hold": held})
    return link.hold_id == held.pk


def paid_for(purchase_ids: Collection[int]) -> dict[int, Paid]:
    """Return by purchase what a linked hold paid. One read, two where there is any."""
    links = PurchaseHold.objects.filter(purchase__in=purchase_ids).values_list(
        "purchase_id", "hold__capture_entry_id", "hold__captured"
    )
    paid = {purchase_id: Paid(entry_id, points, 0) for purchase_id, entry_id, points in links}
    by_entry = {each.entry_id: each for each in paid.values()}
    refunds = PointsEntry.objects.filter(kind=PointsEntry.Kind.REFUND, related_id__in=by_entry)
    for entry_id, points in refunds.values_list("related_id").annotate(total=Sum("points")) if paid else ():
        by_entry[entry_id or 0].back = points
    return paid

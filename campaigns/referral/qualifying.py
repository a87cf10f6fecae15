"""The friend's first purchase decides whether a referral will be rewarded; a return undoes that."""

from datetime import timedelta

from campaigns.referral import rewarding
from campaigns.referral.models import Referral
from campaigns.referral.newness import has_bought_before, reason_against_identity
from campaigns.referral.worth import reason_against_amount
from members.events.models import Event
from members.events.readers import reader
from members.programme.models import Programme
from members.purchases.models import Purchase

State = Referral.State
Reason = Referral.Reason


@reader("referral-purchases", kinds={"purchase.recorded"})
def look_at_purchase(event: Event) -> None:
    """Let the first purchase of a friend decide; the imported past decides nothing."""
    if event.backfilled:
        return
    waiting = Referral.objects.filter(friend_id=event.member_id, purchase=None)
    referral = waiting.filter(state__in=[State.PENDING, State.BLOCKED]).select_for_update().first()
    if referral is not None:
        _decide(referral, Purchase.objects.get(pk=event.data["purchase"]))


@reader("referral-returns", kinds={"purchase.returned"})
def look_at_return(event: Event) -> None:
    """Cancel or take back when too little of the qualifying purchase is left."""
    referral = Referral.objects.select_for_update().filter(purchase_id=event.data["purchase"]).first()
    if referral is None:
        return
    reason = reason_against_amount(referral)
    if reason is not None:
        rewarding.undo(referral, reason)


def _decide(referral: Referral, purchase: Purchase) -> None:
    refusal = _refusal(referral, purchase)
    if refusal is not None:
        referral.state, referral.reason = State.CANCELLED, refusal
        referral.save(update_fields=["state", "reason"])
        return
    doubt = _doubt(referral)
    if doubt is not None:
        referral.state, referral.reason = State.BLOCKED, doubt
    referral.purchase = purchase
    referral.approve_after = purchase.purchased_at + timedelta(days=Programme.current().return_window_days + 1)
    referral.save(update_fields=["state", "reason", "purchase", "approve_after"])


def _refusal(referral: Referral, purchase: Purchase) -> Reason | None:
    if has_bought_before(purchase):
        return Reason.BOUGHT_BEFORE
    if purchase.currency != Programme.current().currency:
        return Reason.OTHER_CURRENCY
    return Reason.BELOW_MINIMUM if purchase.amount < referral.campaign.minimum_amount else None


def _doubt(referral: Referral) -> Reason | None:
    if referral.cleared_by_id is not None:
        return None
    return reason_against_identity(advocate_id=referral.advocate_id, friend_id=referral.friend_id)

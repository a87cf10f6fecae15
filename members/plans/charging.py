"""Asking the provider: from the outbox, outside any transaction, at least once; what it answers counts once."""

from typing import Any

from members.jobs.outbox import handles
from members.plans import payments
from members.plans.models import PlanPayment
from members.plans.providers.registry import Outcome, Request, provider_of


@handles(payments.CHARGE)
def charge(payload: dict[str, Any]) -> None:
    """Ask for a payment. No answer raises, so that the same key is asked again; "later" is asked by the next night."""
    payment = PlanPayment.objects.select_related("subscription").get(pk=payload["payment"])
    attempt = payload["attempt"]
    if payment.state != PlanPayment.State.PENDING or payment.attempts != attempt:
        return
    means = payment.subscription.provider_reference
    answer = provider_of(payment.subscription.provider).charge(
        Request(key=payment.key, amount=payment.amount, currency=payment.currency, reference=means)
    )
    if answer.outcome is Outcome.DONE:
        payments.record_payment(payment_id=payment.pk, reference=answer.reference)
    elif answer.outcome is Outcome.DECLINED:
        payments.payment_failed(payment_id=payment.pk, attempt=attempt)


@handles(payments.REFUND)
def refund(payload: dict[str, Any]) -> None:
    """Give back what is due; an answer that it waits is asked for again every day, with the same key.

    What the provider refuses to give back, or has not given after the last time, stays due until staff record it.
    """
    payment = PlanPayment.objects.select_related("subscription").get(pk=payload["payment"])
    if payment.refund_due == payment.refunded:
        return
    request = Request(
        key=f"plan-refund:{payment.pk}",
        amount=payment.refund_due,
        currency=payment.currency,
        reference=payment.provider_reference,
    )
    outcome = provider_of(payment.subscription.provider).refund(request).outcome
    if outcome is Outcome.DONE:
        payments.record_refund(payment_id=payment.pk)
    elif outcome is Outcome.WAITING:
        payments.ask_refund_again(payment_id=payment.pk, asked=payload.get("asked", 0) + 1)

"""Payments: asked for once per period, recorded once whatever is repeated, given back when nothing came of them."""

from datetime import datetime, timedelta

from django.conf import settings

from members.events.audit_log import write_audit
from members.events.log import write_event
from members.jobs import outbox
from members.lib import periods
from members.lib.clock import database_now
from members.lib.transactions import retried
from members.plans import benefits
from members.plans.locking import lock_payment
from members.plans.models import Plan, PlanPayment, Subscription
from members.plans.proration import next_try, share_refund
from members.plans.providers.registry import provider_of
from members.programme.models import Programme

CHARGE = "plan-charge"
REFUND = "plan-refund"
# A provider that only says "later" is asked once a day, so many times.
REFUND_ASKED_TIMES = 60

State = Subscription.State
Paid = PlanPayment.State
Purpose = PlanPayment.Purpose


def ask_payment(
    subscription: Subscription,
    plan: Plan,
    purpose: str,
    *,
    period_start: datetime,
    at: datetime,
    credit_given: int = 0,
) -> PlanPayment:
    """Write the payment of a period and have the provider asked after commit; credit is used first.

    Nothing to pay settles at once. The caller holds the lock.
    """
    price = subscription.price if plan.pk == subscription.plan_id else plan.price
    credit_used = min(subscription.credit + credit_given, price)
    payment = PlanPayment.objects.create(
        subscription=subscription,
        plan=plan,
        purpose=purpose,
        period_start=period_start,
        amount=price - credit_used,
        currency=subscription.currency,
        credit_given=credit_given,
        credit_used=credit_used,
        next_try_at=_first_try(subscription, purpose, period_start),
        at=at,
    )
    if payment.amount:
        send_to_provider(payment)
    else:
        _settle(payment, reference="", at=at)
    return payment


def _first_try(subscription: Subscription, purpose: str, due: datetime) -> datetime:
    # Where nobody can be asked, a first payment may arrive until the last day of grace.
    waits = not provider_of(subscription.provider).is_asked and purpose != Purpose.RENEWAL
    zone = Programme.current().tz
    days = max(settings.PLAN_RETRY_DAYS) if waits else min(settings.PLAN_RETRY_DAYS)
    return periods.start_of_day(periods.local_day(due, zone) + timedelta(days=days), zone)


def send_to_provider(payment: PlanPayment) -> None:
    """Put the request into the outbox, where the provider can be asked; nothing leaves before commit."""
    if provider_of(payment.subscription.provider).is_asked:
        outbox.enqueue(kind=CHARGE, payload={"payment": payment.pk, "attempt": payment.attempts})


@retried
def record_payment(
    *,
    payment_id: int,
    reference: str = "",
    at: datetime | None = None,
    actor_id: int | None = None,
    reason: str = "",
) -> PlanPayment:
    """Record that a payment arrived, once: its period begins, with tier and points. A repeat changes nothing.

    Money for a period that nobody wants any more (ended meanwhile) goes back whole. With an actor it leaves an audit
    row. Raises PlanPayment.DoesNotExist.
    """
    payment = lock_payment(payment_id)
    if payment.state in {Paid.PAID, Paid.REFUNDED}:
        return payment
    _settle(payment, reference=reference, at=at or database_now())
    if actor_id is not None:
        target = f"plan payment {payment.pk}"
        write_audit(actor_id=actor_id, action="plan_payment.recorded", target=target, reason=reason)
    return payment


def _settle(payment: PlanPayment, *, reference: str, at: datetime) -> None:
    wanted = _is_wanted(payment)
    payment.state, payment.paid_at, payment.next_try_at = Paid.PAID, at, None
    payment.provider_reference = reference
    if wanted and payment.purpose == Purpose.FIRST:
        # What was paid for begins when it is paid.
        payment.period_start = at
    payment.save()
    if wanted:
        _begin_period(payment, at)
    else:
        ask_refund(payment, payment.amount)


def _is_wanted(payment: PlanPayment) -> bool:
    subscription = payment.subscription
    if payment.purpose == Purpose.FIRST:
        return subscription.state == State.WAITING
    if payment.purpose == Purpose.UPGRADE:
        return payment.state == Paid.PENDING and subscription.state in {State.ACTIVE, State.TRIAL}
    return subscription.renews and payment.period_start == subscription.period_until


def _begin_period(payment: PlanPayment, at: datetime) -> None:
    subscription, old_plan = payment.subscription, payment.subscription.plan
    _set_period(subscription, payment)
    subscription.plan, subscription.next_plan = payment.plan, None
    subscription.price = subscription.period_value = payment.amount + payment.credit_used
    subscription.credit += payment.credit_given - payment.credit_used
    subscription.state = State.ACTIVE
    benefits.hold_tier(subscription, at=at)
    subscription.save()
    had = old_plan.gift_points if payment.purpose == Purpose.UPGRADE and payment.credit_given else 0
    benefits.give_points(payment, payment.plan.gift_points - had, at=at)
    kinds = {Purpose.FIRST: "plan.started", Purpose.RENEWAL: "plan.renewed", Purpose.UPGRADE: "plan.upgraded"}
    tell(
        kinds[Purpose(payment.purpose)],
        subscription,
        at,
        payment=payment.pk,
        amount=payment.amount,
        **({"from": old_plan.pk} if old_plan.pk != payment.plan_id else {}),
    )


def _set_period(subscription: Subscription, payment: PlanPayment) -> None:
    """Set the bounds by months from the anchor day: 31 January, 28 February, 31 March."""
    zone = Programme.current().tz
    first_day = periods.local_day(payment.period_start, zone)
    if subscription.anchor is None or payment.purpose != Purpose.RENEWAL:
        subscription.anchor, subscription.months_from_anchor = first_day, 0
    subscription.months_from_anchor += payment.plan.months
    until_day = periods.add_months(subscription.anchor, subscription.months_from_anchor)
    subscription.period_from = payment.period_start
    subscription.period_until = periods.start_of_day(until_day, zone)
    subscription.period_days = (until_day - first_day).days


@retried
def payment_failed(*, payment_id: int, attempt: int, at: datetime | None = None) -> PlanPayment:
    """Record a definite refusal, once per attempt, and plan the next try; the tier stays meanwhile.

    The tries are the days of PLAN_RETRY_DAYS after the period's start. After the last one, and for a first payment at
    once, the subscription ends. A declined upgrade leaves everything as it was. Raises PlanPayment.DoesNotExist.
    """
    payment = lock_payment(payment_id)
    if payment.state != Paid.PENDING or payment.attempts != attempt:
        return payment
    now, subscription = at or database_now(), payment.subscription
    payment.attempts += 1
    payment.state = Paid.FAILED
    payment.next_try_at = next_try_of(payment, now) if payment.purpose == Purpose.RENEWAL else None
    payment.save()
    tell("plan.payment_failed", subscription, now, payment=payment.pk, attempt=payment.attempts)
    if payment.next_try_at is None:
        give_up(payment, at=now)
    elif subscription.renews:
        subscription.state = State.PAST_DUE
        subscription.save()
    return payment


def next_try_of(payment: PlanPayment, at: datetime) -> datetime | None:
    """Return when a late payment is asked for again, or None after the last day."""
    zone = Programme.current().tz
    due, today = periods.local_day(payment.period_start, zone), periods.local_day(at, zone)
    day = next_try(due, today, settings.PLAN_RETRY_DAYS)
    return periods.start_of_day(day, zone) if day else None


def give_up(payment: PlanPayment, *, at: datetime) -> None:
    """Ask no more: an upgrade is dropped, a first or next period ends the subscription. The caller holds the lock."""
    payment.state, payment.next_try_at = Paid.FAILED, None
    payment.save()
    if payment.purpose != Purpose.UPGRADE and payment.subscription.state != State.ENDED:
        end(payment.subscription, at=at)


def end(subscription: Subscription, *, at: datetime, refund: int = 0) -> None:
    """End a subscription: no more requests, the tier falls to what is earned, ``refund`` and credit go back.

    The caller holds the lock.
    """
    drop_requests(subscription)
    benefits.drop_tier(subscription, at=at)
    refund += subscription.credit
    subscription.state, subscription.ended_at, subscription.credit = State.ENDED, at, 0
    subscription.save()
    paid = list(subscription.payments.filter(state=Paid.PAID, refund_due=0).order_by("-pk"))
    for payment, share in zip(paid, share_refund(refund, [row.amount for row in paid]), strict=True):
        ask_refund(payment, share)
    tell("plan.ended", subscription, at, refund=refund)


def drop_requests(subscription: Subscription) -> None:
    """Ask no more for what is unpaid; money that arrives all the same goes back."""
    unpaid = subscription.payments.filter(state__in=[Paid.PENDING, Paid.FAILED])
    unpaid.update(state=Paid.FAILED, next_try_at=None)


def ask_refund(payment: PlanPayment, amount: int) -> None:
    """Write down what is to be given back, and have the provider asked after commit."""
    if not amount:
        return
    payment.refund_due = amount
    payment.save(update_fields=["refund_due"])
    if provider_of(payment.subscription.provider).is_asked:
        outbox.enqueue(kind=REFUND, payload={"payment": payment.pk}, key=f"{REFUND}:{payment.pk}")


@retried
def ask_refund_again(*, payment_id: int, asked: int) -> None:
    """Have the provider asked once more a day later, once for each number of times; no more after the last."""
    if asked < REFUND_ASKED_TIMES:
        payload = {"payment": payment_id, "asked": asked}
        due_at = database_now() + timedelta(days=1)
        outbox.enqueue(kind=REFUND, payload=payload, key=f"{REFUND}:{payment_id}:{asked}", due_at=due_at)


@retried
def record_refund(
    *, payment_id: int, actor_id: int | None = None, reason: str = "", at: datetime | None = None
) -> PlanPayment:
    """Record that the money due was given back, once. Raises PlanPayment.DoesNotExist."""
    payment = lock_payment(payment_id)
    if payment.refund_due == payment.refunded:
        return payment
    payment.refunded, payment.state = payment.refund_due, Paid.REFUNDED
    payment.save(update_fields=["refunded", "state"])
    tell("plan.refunded", payment.subscription, at or database_now(), payment=payment.pk, amount=payment.refunded)
    if actor_id is not None:
        target = f"plan payment {payment.pk}"
        write_audit(actor_id=actor_id, action="plan_payment.refunded", target=target, reason=reason)
    return payment


def tell(kind: str, subscription: Subscription, at: datetime, **numbers: int) -> None:
    """Write the event of a step: ids and numbers only."""
    data = {"subscription": subscription.pk, "plan": subscription.plan_id, **numbers}
    write_event(kind=kind, member_id=subscription.member_id, data=data, occurred_at=at)

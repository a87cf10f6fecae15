"""What can be done to a running subscription: cancel, pause, carry on, change the plan. Each once per key."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from members.events.audit_log import write_audit
from members.lib import periods
from members.lib.clock import database_now
from members.lib.transactions import retried
from members.plans import benefits
from members.plans.locking import lock_subscription
from members.plans.models import Plan, PlanPayment, PlanStep, Subscription
from members.plans.offers import is_on_sale
from members.plans.payments import ask_payment, drop_requests, end, tell
from members.plans.proration import is_upgrade, unused_days, worth_of
from members.plans.subscribing import NotOnSale
from members.programme.models import Programme

State = Subscription.State
What = PlanStep.What


class NotPossible(Exception):
    """The subscription is in a state in which this cannot be done."""


@dataclass(frozen=True)
class Change:
    """What changing the plan means now, in minor units of the plan's currency."""

    is_upgrade: bool
    credit: int
    to_pay: int


@retried
def cancel(
    *,
    subscription_id: int,
    key: str,
    at: datetime | None = None,
    actor_id: int | None = None,
    reason: str = "",
) -> Subscription:
    """Let it run to the end of the paid period, with its tier, and not renew; once per key.

    What is not paid for (an order, a late or a paused period) ends at once. Raises NotPossible when it has ended.
    """
    subscription = lock_subscription(subscription_id)
    if _is_done(key):
        return subscription
    now = at or database_now()
    if subscription.state == State.ENDED:
        raise NotPossible(subscription.state)
    if subscription.state == State.CANCELLED:
        return subscription
    _keep(subscription, What.CANCEL, key, now, actor_id=actor_id, reason=reason)
    tell("plan.cancelled", subscription, now)
    runs_on = subscription.state in {State.TRIAL, State.ACTIVE}
    if not runs_on or subscription.period_until is None or subscription.period_until <= now:
        _end_now(subscription, now)
        return subscription
    drop_requests(subscription)
    subscription.state, subscription.next_plan = State.CANCELLED, None
    subscription.save()
    return subscription


@retried
def cancel_now(
    *,
    subscription_id: int,
    key: str,
    at: datetime | None = None,
    actor_id: int | None = None,
    reason: str = "",
) -> Subscription:
    """End it at once and give back the unused days, in money and in gift points; once per key.

    The amount is that of ``refund_now``, with the credit. Raises NotPossible when it has ended.
    """
    subscription = lock_subscription(subscription_id)
    if _is_done(key):
        return subscription
    now = at or database_now()
    if subscription.state == State.ENDED:
        raise NotPossible(subscription.state)
    refund = refund_now(subscription, now)
    _keep(subscription, What.CANCEL_NOW, key, now, amount=refund, actor_id=actor_id, reason=reason)
    tell("plan.cancelled", subscription, now, refund=refund)
    _end_now(subscription, now)
    return subscription


def _end_now(subscription: Subscription, at: datetime) -> None:
    paid = subscription.payments.filter(state=PlanPayment.State.PAID)
    payment = paid.filter(period_start=subscription.period_from or at).first()
    if payment is not None:
        benefits.take_unused_points(subscription, payment, days_unused(subscription, at), at=at)
    end(subscription, at=at, refund=refund_now(subscription, at))


def refund_now(subscription: Subscription, at: datetime) -> int:
    """Return what the unused days after today are worth, rounded half up, in minor units; today counts as used."""
    days = days_unused(subscription, at)
    return worth_of(days, period_days=subscription.period_days, value=subscription.period_value)


def refund_today(subscription: Subscription) -> int:
    """Return what ending the subscription now gives back, unused days and credit, in minor units."""
    return refund_now(subscription, database_now()) + subscription.credit


def days_unused(subscription: Subscription, at: datetime) -> int:
    """Return the whole days after today that are paid for."""
    if subscription.state == State.PAUSED:
        return subscription.days_left
    if subscription.period_until is None:
        return 0
    zone = Programme.current().tz
    return unused_days(periods.local_day(at, zone), periods.local_day(subscription.period_until, zone))


@retried
def pause(
    *,
    subscription_id: int,
    key: str,
    at: datetime | None = None,
    actor_id: int | None = None,
    reason: str = "",
) -> Subscription:
    """Stop the clock after today: no payments, no tier, the unused days are kept; once per key.

    Raises NotPossible unless it is paid.
    """
    subscription = lock_subscription(subscription_id)
    if _is_done(key):
        return subscription
    now = at or database_now()
    if subscription.state != State.ACTIVE or subscription.period_until is None or subscription.period_until <= now:
        raise NotPossible(subscription.state)
    _keep(subscription, What.PAUSE, key, now, actor_id=actor_id, reason=reason)
    drop_requests(subscription)
    subscription.days_left = days_unused(subscription, now)
    subscription.state, subscription.paused_at = State.PAUSED, now
    benefits.drop_tier(subscription, at=now)
    subscription.save()
    tell("plan.paused", subscription, now, days=subscription.days_left)
    return subscription


@retried
def resume(
    *,
    subscription_id: int,
    key: str,
    at: datetime | None = None,
    actor_id: int | None = None,
    reason: str = "",
) -> Subscription:
    """Carry on after a pause, with the days that were left, or take back a cancellation; once per key.

    Raises NotPossible unless it is paused, or cancelled and not over.
    """
    subscription = lock_subscription(subscription_id)
    if _is_done(key):
        return subscription
    now = at or database_now()
    if subscription.state == State.PAUSED:
        _restart_clock(subscription, now)
    elif subscription.state == State.CANCELLED and subscription.period_until and now < subscription.period_until:
        in_trial = subscription.period_until == subscription.trial_until
        subscription.state = State.TRIAL if in_trial else State.ACTIVE
    else:
        raise NotPossible(subscription.state)
    _keep(subscription, What.RESUME, key, now, actor_id=actor_id, reason=reason)
    subscription.save()
    tell("plan.resumed", subscription, now)
    return subscription


def _restart_clock(subscription: Subscription, at: datetime) -> None:
    """Let the days left follow; the day of the pause was used, so the same day gains and loses nothing."""
    assert subscription.paused_at is not None
    zone = Programme.current().tz
    paused_on = periods.local_day(subscription.paused_at, zone)
    first_day = max(periods.local_day(at, zone), paused_on + timedelta(days=1))
    subscription.anchor = first_day + timedelta(days=subscription.days_left)
    subscription.months_from_anchor = 0
    subscription.period_until = periods.start_of_day(subscription.anchor, zone)
    subscription.state, subscription.paused_at, subscription.days_left = State.ACTIVE, None, 0
    benefits.hold_tier(subscription, at=at)


@retried
def change_plan(
    *,
    subscription_id: int,
    plan_id: int,
    key: str,
    at: datetime | None = None,
) -> Change:
    """Change to another plan, once per key; a repeat returns what the change would mean now.

    A plan that costs more a month begins as soon as its price less the credit for unused days is paid; any other begins
    with the next period. The present plan takes back a planned change. Raises NotOnSale, or NotPossible unless the
    subscription is paid or in trial, in the same currency.
    """
    subscription = lock_subscription(subscription_id)
    plan, now = Plan.objects.get(pk=plan_id), at or database_now()
    change = change_preview(subscription, plan, now)
    if _is_done(key):
        return change
    if not is_on_sale(plan, now):
        raise NotOnSale(plan_id)
    runs = subscription.period_until is not None and now < subscription.period_until
    if subscription.state not in {State.TRIAL, State.ACTIVE} or not runs or plan.currency != subscription.currency:
        raise NotPossible(subscription.state)
    _keep(subscription, What.CHANGE, key, now, amount=change.credit)
    drop_requests(subscription)
    subscription.next_plan = None if change.is_upgrade or plan.pk == subscription.plan_id else plan
    subscription.save()
    if change.is_upgrade:
        purpose = PlanPayment.Purpose.UPGRADE
        ask_payment(subscription, plan, purpose, period_start=now, at=now, credit_given=change.credit)
    return change


def change_preview(subscription: Subscription, plan: Plan, at: datetime) -> Change:
    """Return what a change at ``at`` would credit and cost now."""
    upgrade = plan.pk != subscription.plan_id and is_upgrade(
        price=subscription.price,
        months=subscription.plan.months,
        new_price=plan.price,
        new_months=plan.months,
    )
    if not upgrade:
        return Change(is_upgrade=False, credit=0, to_pay=0)
    credit = refund_now(subscription, at)
    return Change(is_upgrade=True, credit=credit, to_pay=max(plan.price - subscription.credit - credit, 0))


def _is_done(key: str) -> bool:
    return PlanStep.objects.filter(key=key).exists()


def _keep(
    subscription: Subscription,
    what: PlanStep.What,
    key: str,
    at: datetime,
    *,
    amount: int = 0,
    actor_id: int | None = None,
    reason: str = "",
) -> None:
    PlanStep.objects.create(subscription=subscription, what=what, key=key, amount=amount, at=at)
    if actor_id is not None:
        target = f"subscription {subscription.pk}"
        write_audit(actor_id=actor_id, action=f"subscription.{what.lower()}", target=target, reason=reason)

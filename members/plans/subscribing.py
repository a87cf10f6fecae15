"""Becoming a paying member: by a first payment, or by a trial that comes once per person."""

from datetime import datetime, timedelta

from django.conf import settings

from members.lib import periods
from members.lib.clock import database_now
from members.lib.transactions import retried
from members.plans import benefits
from members.plans.locking import lock_member
from members.plans.models import Plan, PlanPayment, Subscription
from members.plans.offers import is_on_sale
from members.plans.payments import ask_payment, tell
from members.plans.providers.registry import provider_of
from members.plans.trials import use_trial
from members.programme.models import Programme


class NotOnSale(Exception):
    """The plan is not sold now, or has no trial."""


class AlreadySubscribed(Exception):
    """The member has a paid membership that has not ended."""


class KeyAlreadyUsed(Exception):
    """The key belongs to another member's order."""


@retried
def subscribe(
    *,
    member_id: int,
    plan_id: int,
    key: str,
    provider: str | None = None,
    reference: str = "",
    at: datetime | None = None,
) -> Subscription:
    """Order a plan, once per key; tier and points come with the first payment, which is asked for after commit.

    ``reference`` names the means of payment at the provider. Raises NotOnSale, AlreadySubscribed, KeyAlreadyUsed,
    UnknownProvider.
    """
    lock_member(member_id)
    ordered = _ordered(member_id, key)
    if ordered is not None:
        return ordered
    now = at or database_now()
    plan = _plan_for(member_id, plan_id, now)
    subscription = _open(member_id=member_id, plan=plan, key=key, provider=provider, reference=reference, at=now)
    ask_payment(subscription, plan, PlanPayment.Purpose.FIRST, period_start=now, at=now)
    return subscription


@retried
def start_trial(
    *,
    member_id: int,
    plan_id: int,
    key: str,
    provider: str | None = None,
    reference: str = "",
    at: datetime | None = None,
) -> Subscription:
    """Begin the plan's trial with its tier, once per key and once per person for ever; the first day counts.

    At its end the first payment is asked for, unless it was cancelled. Raises NotOnSale, AlreadySubscribed,
    KeyAlreadyUsed, UnknownProvider, NothingConfirmed, TrialUsed.
    """
    member = lock_member(member_id)
    ordered = _ordered(member_id, key)
    if ordered is not None:
        return ordered
    now, zone = at or database_now(), Programme.current().tz
    plan = _plan_for(member_id, plan_id, now)
    if not plan.trial_days:
        raise NotOnSale(plan_id)
    use_trial(member, at=now)
    subscription = _open(member_id=member_id, plan=plan, key=key, provider=provider, reference=reference, at=now)
    last = periods.local_day(now, zone) + timedelta(days=plan.trial_days)
    subscription.state, subscription.anchor = Subscription.State.TRIAL, last
    subscription.period_from, subscription.period_until = now, periods.start_of_day(last, zone)
    subscription.trial_until, subscription.period_days = subscription.period_until, plan.trial_days
    benefits.hold_tier(subscription, at=now)
    subscription.save()
    tell("plan.started", subscription, now, trial=1)
    return subscription


def _ordered(member_id: int, key: str) -> Subscription | None:
    ordered = Subscription.objects.filter(key=key).select_related("plan").first()
    if ordered is not None and ordered.member_id != member_id:
        raise KeyAlreadyUsed(key)
    return ordered


def _plan_for(member_id: int, plan_id: int, at: datetime) -> Plan:
    plan = Plan.objects.get(pk=plan_id)
    if not is_on_sale(plan, at):
        raise NotOnSale(plan_id)
    if Subscription.objects.filter(member_id=member_id).exclude(state=Subscription.State.ENDED).exists():
        raise AlreadySubscribed(member_id)
    return plan


def _open(*, member_id: int, plan: Plan, key: str, provider: str | None, reference: str, at: datetime) -> Subscription:
    return Subscription.objects.create(
        member_id=member_id,
        plan=plan,
        key=key,
        state=Subscription.State.WAITING,
        started_at=at,
        price=plan.price,
        currency=plan.currency,
        provider=provider_of(provider or settings.PLAN_PROVIDER).name,
        provider_reference=reference,
    )

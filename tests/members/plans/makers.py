"""Plans and subscribers for tests: every argument has a default."""

from contextlib import nullcontext
from datetime import UTC, datetime
from unittest.mock import patch

from allauth.account.models import EmailAddress

from members.accounts.models import Member
from members.jobs import outbox
from members.plans.models import Plan, PlanPayment, Subscription
from members.plans.payments import record_payment
from members.plans.subscribing import subscribe
from tests.factories import make_member, make_user

_serial = iter(range(1, 1_000_000))


def make_plan(**fields: object) -> Plan:
    """Return a plan on sale: 10.00 GBP a month, Silver, no trial, no points."""
    number = next(_serial)
    defaults = {
        "code": f"plan-{number}",
        "name_en": f"Plan {number}",
        "price": 1000,
        "months": 1,
        "tier_code": "silver",
    }
    return Plan.objects.create(**defaults | fields)


def make_confirmed_member(email: str = "ada@example.com") -> Member:
    """Return a member whose login confirmed an address."""
    user = make_user(email=email)
    EmailAddress.objects.create(user=user, email=email, verified=True, primary=True)
    return make_member(user=user, email=email)


def paid_subscription(plan: Plan, at: datetime, member: Member | None = None, **fields: object) -> Subscription:
    """Return a subscription whose first period staff recorded as paid."""
    member = member or make_member()
    fields = {"key": f"order-{next(_serial)}", "provider": "manual"} | fields
    ordered = subscribe(member_id=member.pk, plan_id=plan.pk, at=at, **fields)  # type: ignore[arg-type]
    record_payment(payment_id=PlanPayment.objects.get(subscription=ordered).pk, at=at)
    return fresh(ordered)


def fresh(subscription: Subscription) -> Subscription:
    """Return the row as it is now."""
    return Subscription.objects.select_related("plan", "next_plan").get(pk=subscription.pk)


def pay_all(at: datetime | None = None) -> None:
    """Do what the outbox holds now; what the provider answers is known at ``at``, the clock's now unless given."""
    with patch("members.plans.payments.database_now", lambda: at) if at else nullcontext():
        outbox.drain()


def utc(text: str) -> datetime:
    """Return an instant written as ``2026-01-31 10:00``."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)

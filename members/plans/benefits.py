"""What a plan brings while it is paid: a tier that cannot fall, and points for each paid period."""

from datetime import datetime, timedelta

from django.conf import settings

from members.ledger import posting
from members.ledger.models import PointsEntry
from members.lib import periods
from members.plans.models import PlanPayment, Subscription
from members.plans.proration import worth_of
from members.programme.models import Programme
from members.tiers.granting import end_granted, grant_tier
from members.tiers.models import Tier

REASON = "plan-gift"
PAID = "PAID"


def hold_tier(subscription: Subscription, *, at: datetime) -> None:
    """Hold the plan's tier to the end of the period and of the days of grace; a plan without tier ends the old one.

    A grant of its own for each period. A larger tier replaces the old one before that ends, so that nobody falls
    between two of them. A period that is over when its payment is known holds nothing any more.
    """
    until = grace_end(subscription.period_until)
    if until <= at:
        drop_tier(subscription, at=at)
        return
    tier = Tier.objects.filter(tier_set__is_current=True, code=subscription.plan.tier_code).first()
    old = Tier.objects.filter(tier_set__is_current=True, code=subscription.granted_code).first()
    previous = subscription.grants if subscription.granted_code else 0
    if tier is None or (old is not None and tier.rank < old.rank):
        drop_tier(subscription, at=at)
        previous = 0
    if tier is None:
        return
    subscription.grants += 1
    subscription.granted_code = tier.code
    grant_tier(
        member_id=subscription.member_id,
        tier_id=tier.pk,
        until=until,
        why=PAID,
        reason="paid membership",
        key=_grant_key(subscription, subscription.grants),
        at=at,
    )
    if previous:
        end_granted(member_id=subscription.member_id, key=_grant_key(subscription, previous), at=at)


def drop_tier(subscription: Subscription, *, at: datetime) -> None:
    """End the hold: the member falls to what is earned."""
    if subscription.granted_code:
        key = _grant_key(subscription, subscription.grants)
        end_granted(member_id=subscription.member_id, key=key, at=at)
        subscription.granted_code = ""


def grace_end(until: datetime | None) -> datetime:
    """Return the end of the last day on which a late payment is asked for."""
    assert until is not None
    zone = Programme.current().tz
    last = periods.local_day(until, zone) + timedelta(days=max(settings.PLAN_RETRY_DAYS))
    return periods.start_of_day(last + timedelta(days=1), zone)


def give_points(payment: PlanPayment, points: int, *, at: datetime) -> None:
    """Give the points of a paid period, once per payment."""
    if points > 0:
        posting.grant(
            member_id=payment.subscription.member_id,
            points=points,
            key=_gift_key(payment),
            reason=REASON,
            data={"plan": payment.plan_id, "subscription": payment.subscription_id},
            at=at,
        )


def take_unused_points(subscription: Subscription, payment: PlanPayment, days: int, *, at: datetime) -> None:
    """Take back the share of the period's points that belongs to its unused days, rounded half up."""
    gift = PointsEntry.objects.filter(key=_gift_key(payment), member_id=subscription.member_id).first()
    points = worth_of(days, period_days=subscription.period_days, value=gift.points) if gift else 0
    if gift is not None and points:
        posting.take_back(
            member_id=subscription.member_id,
            points=points,
            key=f"{_gift_key(payment)}:unused",
            reason=REASON,
            data={"plan": payment.plan_id, "subscription": subscription.pk},
            at=at,
            first_from_entry=gift.pk,
        )


def _gift_key(payment: PlanPayment) -> str:
    return f"plan-gift:{payment.subscription_id}:{payment.pk}"


def _grant_key(subscription: Subscription, number: int) -> str:
    return f"plan:{subscription.pk}:{number}"

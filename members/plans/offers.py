"""Reads for pages: what is on sale, and what a member has."""

from datetime import datetime

from django.db.models import Q

from members.plans.models import Plan, Subscription


def is_on_sale(plan: Plan, at: datetime) -> bool:
    """Tell whether a plan can be ordered at ``at``; the end of sale is exclusive."""
    began = plan.sold_from is None or plan.sold_from <= at
    return plan.is_active and began and (plan.sold_until is None or at < plan.sold_until)


def plans_on_sale(at: datetime) -> list[Plan]:
    """Return what can be ordered at ``at``, the cheapest first."""
    sold = Q(sold_from=None) | Q(sold_from__lte=at), Q(sold_until=None) | Q(sold_until__gt=at)
    return list(Plan.objects.filter(*sold, is_active=True).order_by("price", "pk"))


def open_subscription(member_id: int) -> Subscription | None:
    """Return the member's subscription that has not ended."""
    rows = Subscription.objects.filter(member_id=member_id).exclude(state=Subscription.State.ENDED)
    return rows.select_related("plan", "next_plan").first()

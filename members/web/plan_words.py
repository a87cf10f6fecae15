"""Paid membership in words: what a plan costs and brings, how the member's own stands."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.utils.formats import date_format, number_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from members.earning.explanation import describes
from members.lib import periods
from members.lib.money import format_money
from members.plans.benefits import REASON
from members.plans.models import Plan, Subscription
from members.programme.models import Programme
from members.tiers.models import Tier

State = Subscription.State


@dataclass(frozen=True)
class PlanInWords:
    """One plan to compare."""

    code: str
    name: str
    description: str
    price: str
    trial: str
    brings: list[str]
    is_own: bool


@dataclass(frozen=True)
class OwnInWords:
    """The member's subscription: how it stands, and what comes next."""

    plan: str
    state: str
    is_good: bool
    next: str
    may_cancel: bool
    may_resume: bool


def plans_in_words(plans: list[Plan], own: Subscription | None, *, offers_trial: bool) -> list[PlanInWords]:
    """Return the plans on sale, each with what it brings; a trial only to those who never had one."""
    tiers = {tier.code: tier for tier in Tier.objects.filter(tier_set__is_current=True)}
    return [_plan(plan, tiers.get(plan.tier_code), own, offers_trial=offers_trial) for plan in plans]


def _plan(plan: Plan, tier: Tier | None, own: Subscription | None, *, offers_trial: bool) -> PlanInWords:
    return PlanInWords(
        code=plan.code,
        name=plan.name,
        description=plan.description,
        price=price_in_words(plan),
        trial=trial_in_words(plan) if offers_trial and plan.trial_days else "",
        brings=_brings(plan, tier),
        is_own=own is not None and own.plan_id == plan.pk,
    )


def _brings(plan: Plan, tier: Tier | None) -> list[str]:
    lines = []
    if tier is not None:
        lines.append(_("%(tier)s as long as you pay") % {"tier": tier.name})
    if plan.gift_points:
        shown = {"points": number_format(plan.gift_points, force_grouping=True)}
        text = ngettext("%(points)s point each period", "%(points)s points each period", plan.gift_points)
        lines.append(text % shown)
    return lines + plan.perks


def price_in_words(plan: Plan) -> str:
    """Return the price with its period."""
    price = format_money(plan.price, plan.currency)
    if plan.months == 12:
        return _("%(price)s a year") % {"price": price}
    text = ngettext("%(price)s a month", "%(price)s for %(months)d months", plan.months)
    return text % {"price": price, "months": plan.months}


def trial_in_words(plan: Plan) -> str:
    """Return how long it can be tried."""
    return ngettext("%(days)d day to try, free", "%(days)d days to try, free", plan.trial_days) % {
        "days": plan.trial_days
    }


def own_in_words(own: Subscription) -> OwnInWords:
    """Return how the member's subscription stands."""
    return OwnInWords(
        plan=own.plan.name,
        state=str(State(own.state).label),
        is_good=own.state in {State.ACTIVE, State.TRIAL},
        next=_next(own),
        may_cancel=own.state not in {State.CANCELLED, State.ENDED},
        may_resume=own.state in {State.CANCELLED, State.PAUSED},
    )


def _next(own: Subscription) -> str:
    if own.state == State.PAUSED:
        text = ngettext(
            "%(days)d day is left when you carry on.", "%(days)d days are left when you carry on.", own.days_left
        )
        return text % {"days": own.days_left}
    if own.period_until is None:
        return _("It begins as soon as your payment has arrived.")
    if own.state == State.CANCELLED:
        return _("It ends after %(day)s; nothing more will be taken.") % {"day": _shown(last_day(own.period_until))}
    if own.state == State.PAST_DUE:
        return _("Your payment has not arrived. We ask again in the next days; your tier stays meanwhile.")
    price = own.next_plan.price if own.next_plan else own.price
    shown = {
        "price": format_money(price, own.currency),
        "day": _shown(periods.local_day(own.period_until, Programme.current().tz)),
    }
    return _("Next payment: %(price)s on %(day)s.") % shown


def last_day(until: datetime) -> date:
    """Return the last day of a period."""
    return periods.last_usable_day(until, Programme.current().tz)


def _shown(day: date) -> str:
    return date_format(day, "DATE_FORMAT")


@describes(REASON)
def gift_sentence(data: dict[str, Any]) -> str:
    """Say why a plan gave points, or took back those of unused days."""
    plan = Plan.objects.filter(pk=data["plan"]).first()
    return _("With your plan: %(plan)s") % {"plan": plan.name if plan else "–"}

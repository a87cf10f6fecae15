"""The pages of paid membership: compare, order, cancel, carry on."""

from collections.abc import Callable

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from members.accounts.models import Member
from members.lib.money import format_money
from members.lib.transactions import Busy
from members.plans import changing, trials
from members.plans.models import Plan
from members.plans.offers import is_on_sale, open_subscription, plans_on_sale
from members.plans.subscribing import AlreadySubscribed, KeyAlreadyUsed, NotOnSale, start_trial, subscribe
from members.web.forms import PlanForm
from members.web.pages import for_member, member_page
from members.web.plan_words import last_day, own_in_words, plans_in_words


@require_GET
@member_page
def plans(request: HttpRequest, member: Member) -> HttpResponse:
    """Compare what is on sale, with the member's own on top."""
    own = open_subscription(member.pk)
    offers_trial = own is None and not trials.had_trial(member)
    shown = {
        "own": own and own_in_words(own),
        "form": PlanForm(),
        "plans": plans_in_words(plans_on_sale(timezone.now()), own, offers_trial=offers_trial),
    }
    return render(request, "members/plans.html", shown)


@require_http_methods(["GET", "POST"])
@login_required
def order(request: HttpRequest, code: str) -> HttpResponseBase:
    """Ask once more (GET), then order, try or change (POST); a form sent twice counts once."""
    plan = get_object_or_404(Plan, code=code)
    if not is_on_sale(plan, timezone.now()):
        return redirect("portal:plans")
    view = order_now if request.method == "POST" else confirm_order
    return for_member(request, lambda request, member: view(request, member, plan))


def confirm_order(request: HttpRequest, member: Member, plan: Plan) -> HttpResponse:
    """Say what it costs and brings before it is ordered."""
    own = open_subscription(member.pk)
    change = changing.change_preview(own, plan, timezone.now()) if own else None
    offers_trial = own is None and bool(plan.trial_days) and not trials.had_trial(member)
    words = plans_in_words([plan], own, offers_trial=offers_trial)[0]
    wants_trial = offers_trial and request.GET.get("trial") == "1"
    shown = {
        "plan": plan,
        "words": words,
        "change": change,
        "to_pay": change and format_money(change.to_pay, plan.currency),
        "credit": change and format_money(change.credit, plan.currency),
        "wants_trial": wants_trial,
        "form": PlanForm(initial={"trial": wants_trial}),
    }
    return render(request, "members/plan_confirm.html", shown)


def order_now(request: HttpRequest, member: Member, plan: Plan) -> HttpResponse:
    """Order, try or change, and say how it went."""
    form = PlanForm(request.POST)
    if not form.is_valid():
        messages.error(request, _("Please try again from here."))
        return redirect("portal:plans")
    key = f"portal:{form.cleaned_data['key']}"
    own = open_subscription(member.pk)
    try:
        if own is not None and own.key != key:
            changing.change_plan(subscription_id=own.pk, plan_id=plan.pk, key=key)
        elif form.cleaned_data["trial"]:
            start_trial(member_id=member.pk, plan_id=plan.pk, key=key)
        else:
            subscribe(member_id=member.pk, plan_id=plan.pk, key=key)
    except trials.TrialUsed:
        messages.error(request, _("You have used your trial already. You can order the plan at any time."))
    except trials.NothingConfirmed:
        messages.error(request, _("Please confirm your address or number first."))
    except (AlreadySubscribed, KeyAlreadyUsed, NotOnSale, changing.NotPossible, Busy):
        messages.error(request, _("That did not work. Nothing was taken; please try again."))
    else:
        messages.success(request, _("Thank you. Here you see how your membership stands."))
    return redirect("portal:plans")


@require_http_methods(["GET", "POST"])
@member_page
def cancel(request: HttpRequest, member: Member) -> HttpResponse:
    """Ask once more, then cancel at the end of the period."""
    own = open_subscription(member.pk)
    if own is None:
        return redirect("portal:plans")
    if request.method == "POST":
        return step(request, own.pk, changing.cancel, _("Your membership is cancelled."))
    day = last_day(own.period_until) if own.period_until else None
    return render(request, "members/plan_cancel.html", {"own": own, "day": day, "form": PlanForm()})


@require_http_methods(["POST"])
@member_page
def resume(request: HttpRequest, member: Member) -> HttpResponse:
    """Carry on with what was cancelled or paused."""
    own = open_subscription(member.pk)
    if own is None:
        return redirect("portal:plans")
    return step(request, own.pk, changing.resume, _("Your membership carries on."))


def step(request: HttpRequest, subscription_id: int, change: Callable[..., object], done: str) -> HttpResponse:
    """Do one step with the key of the form, and say how it went."""
    form = PlanForm(request.POST)
    try:
        if form.is_valid():
            change(subscription_id=subscription_id, key=f"portal:{form.cleaned_data['key']}")
            messages.success(request, done)
        else:
            messages.error(request, _("Please try again from here."))
    except (changing.NotPossible, Busy):
        messages.error(request, _("That did not work. Please try again."))
    return redirect("portal:plans")

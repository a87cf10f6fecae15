"""The queue of an event: joining, leaving, and taking the seat that is offered."""

from collections.abc import Callable

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from members.accounts.access import current_member
from members.accounts.models import Member
from members.ledger.statements import spendable_points
from members.lib.transactions import Busy
from rewards.catalogue.models import Reward
from rewards.redemption.offers import offers
from rewards.redemption.redeeming import KeyAlreadyUsed, NotAvailable
from rewards.waiting.queueing import NothingToWaitFor, NotOffered, join_queue, leave_queue, place_of, take_place
from rewards.web.forms import RedeemForm, new_key


@require_POST
@login_required
def join(request: HttpRequest, public_id: str) -> HttpResponse:
    """Put the member into the queue."""
    return _act(request, public_id, _join)


@require_POST
@login_required
def leave(request: HttpRequest, public_id: str) -> HttpResponse:
    """Take the member out of the queue."""
    return _act(request, public_id, _leave)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def seat(request: HttpRequest, public_id: str) -> HttpResponse:
    """Ask once more (GET); take the offered seat and lead to its code (POST)."""
    return _act(request, public_id, _take if request.method == "POST" else _confirm)


def _act(
    request: HttpRequest, public_id: str, act: Callable[[HttpRequest, Member, Reward], HttpResponse | None]
) -> HttpResponse:
    member = current_member(request.user)
    reward = get_object_or_404(Reward.objects.visible(timezone.now()), public_id=public_id)
    if member is None:
        return redirect("portal:join")
    return act(request, member, reward) or redirect("rewards:detail", public_id=public_id)


def _join(request: HttpRequest, member: Member, reward: Reward) -> None:
    try:
        join_queue(member_id=member.pk, reward_id=reward.pk)
    except NothingToWaitFor:
        messages.info(request, _("There is no queue for this at the moment."))
    else:
        messages.success(request, _("You are in the queue. We write to you when a seat is free."))


def _leave(request: HttpRequest, member: Member, reward: Reward) -> None:
    leave_queue(member_id=member.pk, reward_id=reward.pk)
    messages.success(request, _("You have left the queue."))


def _confirm(request: HttpRequest, member: Member, reward: Reward) -> HttpResponse | None:
    now = timezone.now()
    place = place_of(member_id=member.pk, reward_id=reward.pk, at=now)
    if place is None or place.state != "OFFERED":
        return None
    [offer] = offers(member=member, rewards=[reward], at=now)
    own = spendable_points(member.pk, now)
    shown = {
        "offer": offer,
        "form": RedeemForm(initial={"key": new_key(), "price": offer.price}),
        "left": max(own - offer.price, 0),
        "helped": max(offer.price - own, 0),
        "seat": place,
    }
    return render(request, "rewards/confirm.html", shown)


def _take(request: HttpRequest, member: Member, reward: Reward) -> HttpResponse | None:
    form = RedeemForm(request.POST)
    if not form.is_valid():
        messages.error(request, _("Please try again from here."))
        return None
    try:
        done = take_place(member_id=member.pk, reward_id=reward.pk, **form.wanted())
    except NotOffered:
        messages.error(request, _("This seat is no longer kept for you."))
    except (NotAvailable, KeyAlreadyUsed, Busy):
        messages.error(request, _("That did not work. Nothing was taken; please try again."))
    else:
        return redirect("rewards:redemption", public_id=done.public_id)
    return None

"""The claim centre, the typed code, and coupons passed on to a friend."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from members.accounts.access import current_member, history_ids
from members.accounts.models import Member
from members.lib.transactions import Busy
from members.programme.models import Programme
from rewards.catalogue import wording as reason_words
from rewards.codes.shared import UnknownCode, UsedUp
from rewards.coupons import presents
from rewards.coupons.claiming import (
    Chance,
    NotClaimable,
    TooManyWrongCodes,
    claim_centre,
    claim_giveaway,
    type_code,
)
from rewards.coupons.conditions import conditions_of
from rewards.coupons.models import Giveaway, Present
from rewards.coupons.wording import explain
from rewards.redemption.models import Redemption
from rewards.redemption.redeeming import KeyAlreadyUsed, NotAvailable
from rewards.web.forms import new_key

KEY = r"^[A-Za-z0-9_-]{16,64}$"
SHOWN = 20


class KeyForm(forms.Form):
    """A one-time key."""

    key = forms.RegexField(KEY, widget=forms.HiddenInput, initial=new_key)


class CodeForm(KeyForm):
    """A word from a poster or a message."""

    typed = forms.CharField(
        label=gettext_lazy("Campaign code"),
        max_length=80,
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "characters"}),
    )


_Refused = (NotClaimable, NotAvailable, KeyAlreadyUsed, Busy, UnknownCode, UsedUp, TooManyWrongCodes)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def centre(request: HttpRequest) -> HttpResponse:
    """Show what can be claimed and what was passed on; POST takes a typed code."""
    member = current_member(request.user)
    if member is None:
        return redirect("portal:home")
    form = CodeForm(request.POST or None)
    if form.is_valid():
        said = form.cleaned_data
        done = _try(request, lambda: type_code(member_id=member.pk, typed=said["typed"], key=said["key"]))
        return done or redirect("rewards:claims")
    now = timezone.now()
    shown = {
        "form": form,
        "chances": [_card(chance) for chance in claim_centre(member_id=member.pk, at=now)],
        "passed_on": [_passed_on(present, now=timezone.now()) for present in _given_by(member)],
    }
    return render(request, "rewards/claims.html", shown, status=422 if form.errors else 200)


@login_required
@require_POST
def claim(request: HttpRequest, public_id: str) -> HttpResponse:
    """Claim a piece of a giveaway; a form sent twice leads to the same code."""
    member, form = current_member(request.user), KeyForm(request.POST)
    if member is None or not form.is_valid():
        return redirect("rewards:claims")
    giveaway = get_object_or_404(Giveaway, public_id=public_id)
    key = form.cleaned_data["key"]
    done = _try(request, lambda: claim_giveaway(member_id=member.pk, giveaway_id=giveaway.pk, key=key))
    return done or redirect("rewards:claims")


@login_required
@require_POST
def pass_on(request: HttpRequest, public_id: str) -> HttpResponse:
    """Make a link for a friend and show it, this once; or take the link back."""
    member = current_member(request.user)
    if member is None:
        raise Http404
    own = Redemption.objects.filter(member_id__in=history_ids(member.pk)).select_related("reward")
    row = get_object_or_404(own, public_id=public_id)
    if "withdraw" in request.POST:
        if presents.withdraw(redemption_id=row.pk, member_id=member.pk):
            messages.success(request, _("The link works no more."))
        return redirect("rewards:redemption", public_id=public_id)
    try:
        present, token = presents.pass_on(redemption_id=row.pk, member_id=member.pk)
    except (presents.CannotPassOn, Busy):
        messages.error(request, _("This cannot be passed on any more."))
        return redirect("rewards:claims")
    link = settings.SITE_URL + reverse("rewards:present", args=[token])
    shown = {"redemption": row, "link": link, "until": _local(present.expires_at)}
    return render(request, "rewards/pass_on.html", shown)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def present(request: HttpRequest, token: str) -> HttpResponse:
    """Show what a friend gives; POST takes it, once."""
    member = current_member(request.user)
    if request.method == "POST" and member is not None:
        return _take(request, member, token)
    try:
        found = presents.waiting_present(token, timezone.now())
    except presents.LinkOver:
        return render(request, "rewards/present.html", {"is_over": True}, status=404)
    reward = found.redemption.reward
    shown = {"reward": reward, "conditions": conditions_of(reward), "member": member, "redemption": found.redemption}
    return render(request, "rewards/present.html", shown)


def _take(request: HttpRequest, member: Member, token: str) -> HttpResponse:
    try:
        taken = presents.take_present(token=token, member_id=member.pk)
    except presents.OwnLink:
        messages.info(request, _("This is your own link. Send it to a friend."))
        return redirect("rewards:claims")
    except (presents.LinkOver, Busy):
        return render(request, "rewards/present.html", {"is_over": True}, status=409)
    messages.success(request, _("It is yours now."))
    return redirect("rewards:redemption", public_id=taken.public_id)


def _try(request: HttpRequest, give: Callable[[], Redemption]) -> HttpResponse | None:
    """Lead to what was given, or say why nothing was."""
    try:
        given = give()
    except _Refused as problem:
        messages.error(request, _why_not(problem))
        return None
    messages.success(request, _("It is yours now."))
    return redirect("rewards:redemption", public_id=given.public_id)


def _why_not(problem: Exception) -> str:
    if isinstance(problem, NotClaimable):
        return explain(problem.why)
    if isinstance(problem, NotAvailable):
        return reason_words.explain(problem.reasons[0])
    if isinstance(problem, UsedUp):
        return _("You have used this code already.") if problem.by_member else _("This code is used up.")
    texts = {
        UnknownCode: _("This is not one of our codes. Please check it."),
        TooManyWrongCodes: _("Too many wrong codes. Please try again in an hour."),
    }
    return texts.get(type(problem), _("That did not work. Nothing was taken; please try again."))


def _card(chance: Chance) -> dict[str, Any]:
    giveaway = chance.giveaway
    left = giveaway.total - giveaway.claimed if giveaway.total is not None else None
    return {
        "giveaway": giveaway,
        "reward": giveaway.reward,
        "why_not": explain(chance.why_not, giveaway) if chance.why_not else "",
        "left": left,
        "until": _local(giveaway.closes_at),
        "conditions": conditions_of(giveaway.reward),
        "form": KeyForm(),
    }


def _given_by(member: Member) -> list[Present]:
    own = Present.objects.filter(giver_id__in=history_ids(member.pk)).select_related("redemption__reward")
    return list(own.order_by("-pk")[:SHOWN])


def _passed_on(present: Present, *, now: datetime) -> dict[str, Any]:
    """Say what became of a link: taken, used, waiting until, over. Who took it is not told."""
    return {"title": present.redemption.reward.name, "sub": _became(present, now)}


def _became(present: Present, now: datetime) -> str:
    if present.state == Present.State.TAKEN:
        return _("Taken by your friend · %(state)s") % {"state": present.redemption.words_at(now)}
    if present.state == Present.State.WITHDRAWN:
        return _("You took the link back")
    return _("Not taken yet") if present.expires_at > now else _("Nobody took it in time")


def _local(instant: datetime) -> datetime:
    return instant.astimezone(Programme.current().tz)

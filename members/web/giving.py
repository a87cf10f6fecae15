"""The page on which a member gives points to another: a form, a look at it, and the gift."""

import secrets
from typing import Any

from django import forms
from django.contrib import messages
from django.core.validators import RegexValidator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_http_methods

from members.accounts.access import MemberNotFound, find_member
from members.accounts.models import Member
from members.ledger import giving
from members.ledger.posting import InsufficientPoints
from members.ledger.statements import spendable_points
from members.lib import codes
from members.lib.transactions import Busy
from members.programme.models import Programme
from members.web.pages import member_page

MOST_POINTS = 10_000_000

Refused = (
    giving.AboveMaximum,
    giving.BelowMinimum,
    giving.GivingOff,
    giving.LimitReached,
    giving.ToOneself,
    Busy,
    InsufficientPoints,
    MemberNotFound,
)


def new_key() -> str:
    """Return a one-time key for one form."""
    return secrets.token_urlsafe(18)


class GiveForm(forms.Form):
    """To whom, how many, and a few words."""

    number = forms.CharField(
        label=gettext_lazy("Their member number"),
        max_length=20,
        widget=forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "off"}),
    )
    points = forms.IntegerField(label=gettext_lazy("Points"), min_value=1, max_value=MOST_POINTS, localize=False)
    note = forms.CharField(
        label=gettext_lazy("A few words"),
        max_length=140,
        required=False,
        validators=[RegexValidator(r"^[^\x00-\x1f\x7f]*$")],
    )
    key = forms.RegexField(r"^[A-Za-z0-9_-]{16,64}$", widget=forms.HiddenInput, initial=new_key)

    def clean_number(self) -> Member:
        """Return the member; what names nobody open is refused without saying why."""
        typed = self.cleaned_data["number"].replace(" ", "")
        try:
            if codes.is_member_number(typed):
                return find_member(typed)
        except MemberNotFound:
            pass
        raise forms.ValidationError(_("There is no such member. Please check the number."))


@require_http_methods(["GET", "POST"])
@member_page
def give(request: HttpRequest, member: Member) -> HttpResponse:
    """Ask to whom and how many, show it once more, then give; a form sent twice gives once."""
    form = GiveForm(request.POST or None)
    if not Programme.current().transfers_enabled:
        return redirect("portal:more")
    if form.is_valid():
        if request.POST.get("step") != "confirm":
            return _confirm(request, form)
        if _give(request, member, form):
            return redirect("portal:history")
    return _page(request, member, form)


def _page(request: HttpRequest, member: Member, form: GiveForm) -> HttpResponse:
    now = timezone.now()
    shown = {
        "form": form,
        "spendable": spendable_points(member.pk, now),
        "left": giving.left_to_give(member.pk, now),
        "received": member.points_received.exclude(note="").select_related("giver__person").order_by("-pk")[:5],
    }
    return render(request, "members/give.html", shown, status=422 if form.is_bound else 200)


def _confirm(request: HttpRequest, form: GiveForm) -> HttpResponse:
    taker = form.cleaned_data["number"]
    shown = {"said": form.cleaned_data, "taker": taker, "masked_name": masked(taker.person.name)}
    return render(request, "members/give_confirm.html", shown)


def _give(request: HttpRequest, member: Member, form: GiveForm) -> bool:
    said: dict[str, Any] = form.cleaned_data
    try:
        gift = giving.give_points(
            from_member_id=member.pk,
            to_member_id=said["number"].pk,
            points=said["points"],
            key=said["key"],
            note=said["note"],
        )
    except Refused as problem:
        form.add_error(None, refusal(problem))
        return False
    text = ngettext("You gave %(points)s point.", "You gave %(points)s points.", gift.points)
    messages.success(request, text % {"points": f"{gift.points:,}"})
    return True


def masked(name: str) -> str:
    """Return a name that only who knows it recognises: ``M** L**``."""
    return " ".join(f"{word[0]}**" for word in name.split())


def refusal(problem: Exception) -> str:
    """Say in words why nothing was given."""
    if isinstance(problem, giving.BelowMinimum):
        return _("Please give at least %(points)s points.") % {"points": f"{problem.minimum:,}"}
    if isinstance(problem, giving.AboveMaximum):
        # How full the other's account is stays theirs.
        return _("This member cannot take so many points: nobody holds more than %(limit)s. Nothing was given.") % {
            "limit": f"{problem.limit:,}"
        }
    if isinstance(problem, giving.LimitReached):
        return _("For now you can give at most %(points)s more points.") % {"points": f"{problem.left:,}"}
    if isinstance(problem, InsufficientPoints):
        return _("You have %(points)s points to give.") % {"points": f"{problem.spendable:,}"}
    if isinstance(problem, giving.ToOneself):
        return _("This is your own number.")
    return _("That did not work. Nothing was given; please try again.")

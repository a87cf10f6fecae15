"""The pages of a household: begin or join one, say what is shared, invite, leave."""

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from members.accounts.access import MemberNotFound, find_member
from members.accounts.models import Member
from members.households import joining, leaving, sharing
from members.households.joining import Role
from members.households.models import HouseholdInvite
from members.lib import codes
from members.web.pages import member_page

MOST_POINTS = 10_000_000

Refused = (
    joining.AlreadyInHousehold,
    joining.HouseholdFull,
    joining.InviteGone,
    joining.NotHead,
    MemberNotFound,
)


class SharingForm(forms.Form):
    """Whether the others may use the points, and how many a month. Nothing is ticked until the member says yes."""

    shares_points = forms.BooleanField(
        label=gettext_lazy("The others in my household may use my points when they redeem"),
        required=False,
        help_text=gettext_lazy(
            "Only what they miss is taken, the points that end first before the others. They see my first name and how "
            "many points I share, nothing else. I can change this or leave at any time; my points stay mine."
        ),
    )
    monthly_limit = forms.IntegerField(
        label=gettext_lazy("At most so many points a month"),
        min_value=1,
        max_value=MOST_POINTS,
        required=False,
        localize=False,
        help_text=gettext_lazy("Empty: no limit."),
    )


class JoinForm(SharingForm):
    """The code of an invitation, and what the member shares."""

    code = forms.CharField(
        label=gettext_lazy("Code of the invitation"),
        max_length=20,
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "characters"}),
    )
    field_order = ("code", "shares_points", "monthly_limit")


class InviteForm(forms.Form):
    """Whom to invite; without a number the household gets a code to pass on."""

    number = forms.CharField(
        label=gettext_lazy("Their member number"),
        max_length=20,
        required=False,
        help_text=gettext_lazy("Empty: you get a code to pass on."),
        widget=forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "off"}),
    )

    def clean_number(self) -> Member | None:
        """Return the member; what names nobody open is refused without saying why."""
        typed = self.cleaned_data["number"].replace(" ", "")
        if not typed:
            return None
        try:
            if codes.is_member_number(typed):
                return find_member(typed)
        except MemberNotFound:
            pass
        raise forms.ValidationError(_("There is no such member. Please check the number."))


@require_http_methods(["GET", "POST"])
@member_page
def household(request: HttpRequest, member: Member) -> HttpResponse:
    """Show the household or how to get one; ``do`` names the form that was sent."""
    actions = {"start": _start, "join": _join, "decline": _decline, "share": _share, "invite": _invite}
    action = actions.get(request.POST.get("do", ""))
    return action(request, member) if action else _page(request, member)


@require_http_methods(["GET", "POST"])
@member_page
def leave(request: HttpRequest, member: Member) -> HttpResponse:
    """Ask once more, then leave."""
    if request.method != "POST":
        return render(request, "members/household_leave.html")
    leaving.leave_household(member_id=member.pk)
    messages.success(request, _("You have left the household. Your points stay yours."))
    return redirect("portal:household")


@require_http_methods(["GET", "POST"])
@member_page
def remove(request: HttpRequest, member: Member) -> HttpResponse:
    """Ask once more, then let the head remove somebody."""
    if request.method != "POST":
        return _ask_to_remove(request, member)
    who = request.POST.get("member", "")
    try:
        leaving.remove_member(head_id=member.pk, member_id=int(who) if who.isdecimal() and len(who) < 19 else 0)
    except joining.NotHead as problem:
        messages.error(request, refusal(problem))
    else:
        messages.success(request, _("They do not belong to the household any more and keep their points."))
    return redirect("portal:household")


def _ask_to_remove(request: HttpRequest, member: Member) -> HttpResponse:
    people = sharing.seen_by(member.pk, timezone.now())
    mine = any(person.is_self and person.is_head for person in people)
    asked = request.GET.get("member", "")
    person = next((each for each in people if str(each.member_id) == asked and not each.is_self), None)
    if person is None or not mine:
        return redirect("portal:household")
    return render(request, "members/household_remove.html", {"person": person})


def _page(request: HttpRequest, member: Member, *, status: int = 200, **bound: forms.Form) -> HttpResponse:
    now = timezone.now()
    own = sharing.belonging_of(member.pk)
    if own is None:
        mine = joining.open_invites(member.pk, now).filter(member=member.pk).select_related("invited_by__person")
        shown: dict[str, Any] = {
            "start_form": bound.get("start_form") or SharingForm(auto_id="start_%s"),
            "join_form": bound.get("join_form") or JoinForm(auto_id="join_%s"),
            "invites": [(invite, _first_name(invite)) for invite in mine.order_by("-pk")],
        }
        return render(request, "members/household_join.html", shown, status=status)
    settings = {"shares_points": own.shares_points, "monthly_limit": own.monthly_limit}
    is_head = own.role == Role.HEAD
    shown = {
        "people": sharing.seen_by(member.pk, now),
        "is_head": is_head,
        "sharing_form": bound.get("sharing_form") or SharingForm(initial=settings),
        "invite_form": bound.get("invite_form") or InviteForm(),
        "codes": joining.open_invites(0, now).filter(household=own.household_id) if is_head else [],
    }
    return render(request, "members/household.html", shown, status=status)


def _first_name(invite: HouseholdInvite) -> str:
    return (invite.invited_by.person.name.split() or [invite.invited_by.number])[0]


def _start(request: HttpRequest, member: Member) -> HttpResponse:
    form = SharingForm(request.POST, auto_id="start_%s")
    if not form.is_valid():
        return _page(request, member, status=422, start_form=form)
    return _try(request, lambda: joining.start_household(member_id=member.pk, **form.cleaned_data))


def _join(request: HttpRequest, member: Member) -> HttpResponse:
    form = JoinForm(request.POST, auto_id="join_%s")
    if not form.is_valid():
        return _page(request, member, status=422, join_form=form)
    try:
        joining.accept_invite(member_id=member.pk, **form.cleaned_data)
    except Refused as problem:
        form.add_error("code", refusal(problem))
        return _page(request, member, status=422, join_form=form)
    messages.success(request, _("Welcome! You belong to the household now."))
    return redirect("portal:household")


def _decline(request: HttpRequest, member: Member) -> HttpResponse:
    which = request.POST.get("invite", "")
    if which.isdecimal() and len(which) < 19:
        joining.decline_invite(member_id=member.pk, invite_id=int(which))
    return redirect("portal:household")


def _share(request: HttpRequest, member: Member) -> HttpResponse:
    form = SharingForm(request.POST)
    if not form.is_valid():
        return _page(request, member, status=422, sharing_form=form)
    return _try(request, lambda: sharing.change_sharing(member_id=member.pk, **form.cleaned_data))


def _invite(request: HttpRequest, member: Member) -> HttpResponse:
    form = InviteForm(request.POST)
    if not form.is_valid():
        return _page(request, member, status=422, invite_form=form)
    invited = form.cleaned_data["number"]
    done = _("Invited. They find it on their own page “Household”.") if invited else _("Here is a code to pass on.")
    return _try(
        request, lambda: joining.invite(head_id=member.pk, member_id=invited.pk if invited else None), done=done
    )


def _try(request: HttpRequest, do: Any, *, done: str = "") -> HttpResponse:
    try:
        do()
    except Refused as problem:
        messages.error(request, refusal(problem))
    else:
        messages.success(request, done or _("Saved."))
    return redirect("portal:household")


def refusal(problem: Exception) -> str:
    """Say in words why not."""
    return {
        joining.AlreadyInHousehold: _("You are in a household already. Leave it first."),
        joining.HouseholdFull: _("This household is full."),
        joining.InviteGone: _("This invitation is used up, too old or not for you."),
        joining.NotHead: _("Only the head of the household can do that."),
        MemberNotFound: _("That did not work. Please try again."),
    }[type(problem)]

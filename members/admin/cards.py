"""The page of staff for a lost card, and what staff read when somebody shows one."""

from typing import Any

from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from members.accounts.access import LostCard, MemberNotFound, refuse_lost_card
from members.accounts.cards import replace_card
from members.admin.forms import CardForm
from members.admin.pages import page
from members.models import Member


def lost_card_page(model_admin: admin.ModelAdmin[Any], request: HttpRequest, member: Member) -> HttpResponse:
    """Report the member's card lost: the old number dies, a new one takes its place."""
    form = CardForm(request.POST or None, initial={"lost_number": member.number})
    if form.is_valid():
        try:
            renewed = replace_card(member_id=member.pk, actor_id=request.user.pk, **form.cleaned_data)
        except MemberNotFound:
            form.add_error(None, _("This membership is not open, or the card was replaced meanwhile."))
        else:
            text = _("The card is blocked. The new number is %(number)s.") % {"number": renewed.number}
            model_admin.message_user(request, text, messages.SUCCESS)
            return redirect("admin:members_member_change", member.pk)
    return page(
        model_admin,
        request,
        "form.html",
        form=form,
        member=member,
        title=_("Replace a lost card"),
        submit=_("Block the old number"),
        status=422 if form.is_bound else 200,
    )


def lost_card_in_words(number: str) -> str:
    """Return what staff should know about a lost card, or nothing when the number is none."""
    try:
        refuse_lost_card(number)
    except LostCard as lost:
        return _("This card was reported lost on %(day)s; the member's new card ends in %(end)s.") % {
            "day": date_format(lost.reported_at),
            "end": lost.new_number_ends,
        }
    return ""

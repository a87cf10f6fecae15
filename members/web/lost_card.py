"""Where members report their own card lost."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from members.accounts.access import MemberNotFound
from members.accounts.cards import replace_card
from members.accounts.models import Member
from members.web.pages import member_page

REASON = "reported by the member"


@require_http_methods(["GET", "POST"])
@member_page
def lost(request: HttpRequest, member: Member) -> HttpResponse:
    """Ask once more, then block the number and show the new card; a form sent twice makes one new number."""
    if request.method != "POST":
        return render(request, "members/lost_card.html", {"member": member})
    number = request.POST.get("number", "")[:10]
    try:
        replace_card(member_id=member.pk, lost_number=number, actor_id=member.user_id, reason=REASON)
    except MemberNotFound:
        messages.error(request, _("That did not work. Please look at your card and try again."))
    else:
        messages.success(request, _("Your old number is blocked for ever. This is your new card."))
    return redirect("portal:card")

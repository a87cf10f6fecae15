"""Unsubscribing without a login, and the page of wishes."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db import OperationalError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from campaigns.messaging.unsubscribing import BadToken, check_token, save_wishes, unsubscribe, wishes_of
from campaigns.web.forms import WishesForm
from members.accounts.access import current_member
from members.accounts.models import User
from members.lib.transactions import Busy


@csrf_exempt
@never_cache
@require_http_methods(["GET", "POST"])
def unsubscribe_page(request: HttpRequest, token: str) -> HttpResponse:
    """Ask on GET, which changes nothing; refuse on POST, as RFC 8058 wants.

    No cookie, no login, no redirect.
    """
    try:
        channel = check_token(token)
        if request.method == "POST":
            unsubscribe(token=token, everything="everything" in request.POST)
    except BadToken as problem:
        raise Http404 from problem
    except (Busy, OperationalError):
        # The mail program asks again after a 503.
        return HttpResponse(status=503, headers={"Retry-After": "60"})
    context = {
        "channel": channel,
        "is_done": request.method == "POST",
        "everything": "everything" in request.POST,
    }
    response = render(request, "campaigns/unsubscribe.html", context)
    response["Referrer-Policy"] = "no-referrer"
    return response


@login_required
@require_http_methods(["GET", "POST"])
def preferences(request: HttpRequest) -> HttpResponse:
    """Show and save what the member wants to hear from us."""
    member = current_member(request.user)
    if member is None or not isinstance(request.user, User):
        return redirect("portal:join")
    form = WishesForm(request.POST or None, wishes=wishes_of(member.pk))
    if request.method == "POST" and form.is_valid():
        save_wishes(member_id=member.pk, wanted=form.wanted(), actor_id=request.user.pk)
        messages.success(request, _("Your wishes are saved."))
        return redirect("campaigns:preferences")
    return render(request, "campaigns/preferences.html", {"form": form})

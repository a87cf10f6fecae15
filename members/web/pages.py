"""Who may see a page of members, and in which time zone it is written."""

from collections.abc import Callable
from functools import wraps
from zoneinfo import ZoneInfo

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect
from django.utils import timezone

from members.accounts.access import current_member
from members.accounts.models import Member
from members.programme.models import Programme

MemberView = Callable[[HttpRequest, Member], HttpResponseBase]


def zone_of(member: Member) -> ZoneInfo:
    """Return the zone in which the member reads times."""
    return ZoneInfo(member.zone) if member.zone else Programme.current().tz


def for_member(request: HttpRequest, view: MemberView) -> HttpResponseBase:
    """Answer with the page of the login's member in their time zone; others are led on."""
    member = current_member(request.user)
    if member is None:
        return redirect("admin:index" if request.user.is_staff else "portal:join")
    with timezone.override(zone_of(member)):
        return view(request, member)


def member_page(view: MemberView) -> Callable[[HttpRequest], HttpResponseBase]:
    """Make a page that needs a member: visitors sign in first."""

    @wraps(view)
    def page(request: HttpRequest) -> HttpResponseBase:
        return for_member(request, view)

    return login_required(page)

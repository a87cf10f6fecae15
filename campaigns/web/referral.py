"""Inviting friends: the member's own page, the friend's landing page, and the claim after joining."""

from collections.abc import Callable
from datetime import UTC, datetime

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from campaigns.referral.claims import WINDOW, claim_referral, code_of, find_code, link_of, offer
from campaigns.referral.overview import brought_by
from members.accounts.access import current_member
from members.lib.money import format_money
from members.programme.models import Programme

_COOKIE = "referral"
_SALT = "campaigns.referral"


@login_required
@require_safe
def refer(request: HttpRequest) -> HttpResponse:
    """Show the member's link, code and QR code, and the friends brought so far."""
    member = current_member(request.user)
    if member is None:
        return redirect("portal:join")
    code = code_of(member.pk)
    context = {**_terms(), "code": code.code, "link": link_of(code), "friends": brought_by(member.pk)}
    return render(request, "campaigns/refer.html", context)


@never_cache
@require_safe
def landing(request: HttpRequest, code: str) -> HttpResponse:
    """Welcome a friend and remember the link for 30 days; the first link followed stays."""
    found = find_code(code)
    if found is None:
        raise Http404
    response = render(request, "campaigns/referral_landing.html", {**_terms(), "code": found.code})
    if offer() is not None and _remembered(request) is None:
        _remember(response, found.code)
    return response


def _terms() -> dict[str, object]:
    campaign = offer()
    if campaign is None:
        return {"is_open": False}
    return {
        "is_open": True,
        "advocate_points": campaign.gift_points,
        "friend_points": campaign.friend_points,
        "minimum": format_money(campaign.minimum_amount, Programme.current().currency)
        if campaign.minimum_amount
        else "",
        "wait_days": Programme.current().return_window_days + 1,
        "monthly_limit": campaign.monthly_limit,
    }


def _remember(response: HttpResponse, code: str) -> None:
    response.set_signed_cookie(
        _COOKIE,
        f"{code}|{int(timezone.now().timestamp())}",
        salt=_SALT,
        max_age=int(WINDOW.total_seconds()),
        httponly=True,
        secure=settings.IS_HTTPS,
        samesite="Lax",
    )


def _remembered(request: HttpRequest) -> tuple[str, datetime] | None:
    """Return the code and the instant of the click, unless the cookie is missing, false or too old."""
    kept = request.get_signed_cookie(_COOKIE, default="", salt=_SALT, max_age=int(WINDOW.total_seconds()))
    if not kept:
        return None
    code, _bar, clicked = kept.partition("|")
    return code, datetime.fromtimestamp(int(clicked), UTC)


class ReferralClaimMiddleware:
    """When someone with a followed link has become a member, claim the referral once and forget the link."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        is_claimed = _COOKIE in request.COOKIES and self._claim(request)
        response = self.get_response(request)
        if is_claimed:
            response.delete_cookie(_COOKIE)
        return response

    def _claim(self, request: HttpRequest) -> bool:
        member = current_member(request.user)
        if member is None:
            return False
        followed = _remembered(request)
        if followed is not None:
            code, clicked_at = followed
            claim_referral(friend_id=member.pk, code=code, clicked_at=clicked_at, at=timezone.now())
        return True

"""The member's card: the number for ever, and the code that changes every minute."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_GET

from members.accounts.live_codes import live_code
from members.accounts.models import Member
from members.tiers.standing import current_standing
from members.web.pages import member_page
from members.web.tier_words import HIGHEST_TONE


@require_GET
@member_page
def card(request: HttpRequest, member: Member) -> HttpResponse:
    """Show the card with its codes."""
    standing = current_standing(member.pk)
    tier = standing.tier if standing else None
    tone = min(tier.rank, HIGHEST_TONE) if tier else 0
    return render(request, "members/card.html", {"member": member, "tier": tier, "tone": tone, **shown_code(member)})


@require_GET
@member_page
def code(request: HttpRequest, member: Member) -> HttpResponse:
    """Show the live code alone, for the card page that renews it."""
    return render(request, "members/_live_code.html", {"member": member, **shown_code(member)})


def shown_code(member: Member) -> dict[str, Any]:
    """Return the code of this moment: what the QR says, the digits in two groups, and how long they last."""
    live = live_code(member, at=timezone.now())
    return {
        "qr_text": member.number + live.digits,
        "digits": f"{live.digits[:4]} {live.digits[4:]}",
        "seconds_left": live.seconds_left,
    }

"""The heart on a reward, and the wish list."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from members.accounts.access import current_member
from members.accounts.models import Member
from members.web.pages import member_page
from rewards.catalogue.models import Reward
from rewards.redemption.offers import offers
from rewards.web.cards import card
from rewards.wishes.wishing import add_wish, remove_wish, wished_rewards


@require_POST
@login_required
def wish(request: HttpRequest, public_id: str) -> HttpResponse:
    """Put a reward on the member's list, or take it off (``wanted`` is not 1), and lead back."""
    member = current_member(request.user)
    now = timezone.now()
    if member is None:
        return redirect("portal:join")
    if request.POST.get("wanted") == "1":
        reward = get_object_or_404(Reward.objects.visible(now), public_id=public_id)
        add_wish(member_id=member.pk, reward_id=reward.pk, at=now)
        messages.success(request, _("It is on your wish list. We tell you when it is within reach."))
    else:
        remove_wish(member_id=member.pk, reward_id=get_object_or_404(Reward, public_id=public_id).pk)
        messages.success(request, _("It is off your wish list."))
    return redirect(_back(request, public_id))


@require_safe
@member_page
def wish_list(request: HttpRequest, member: Member) -> HttpResponse:
    """Show the member's wishes, the newest first, with what is missing."""
    now = timezone.now()
    rewards = wished_rewards(member_id=member.pk, at=now)
    wished = {reward.pk for reward in rewards}
    cards = [card(offer, wished=wished, at=now) for offer in offers(member=member, rewards=rewards, at=now)]
    return render(request, "rewards/wishes.html", {"cards": cards})


def _back(request: HttpRequest, public_id: str) -> str:
    """Return the page of the heart, and the card there."""
    wanted = request.POST.get("next", "")
    if url_has_allowed_host_and_scheme(wanted, allowed_hosts={request.get_host()}, require_https=request.is_secure()):
        return f"{wanted.partition('#')[0]}#{public_id}"
    return "rewards:wishes"

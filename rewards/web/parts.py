"""What rewards show on the profile: badges and interests."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from members.accounts.access import current_member
from members.accounts.models import Member
from members.web.parts import part
from rewards.browsing.interests import choose_interests, interests_of
from rewards.catalogue import kinds
from rewards.catalogue.models import Category, Reward
from rewards.redemption.models import Redemption
from rewards.redemption.states import State


@part("rewards/_badges.html")
def badges(member: Member) -> dict[str, Any]:
    """Return the badges that the member has, each once, the first first; nothing when there are none."""
    codes = [kind.code for kind in kinds.all_kinds() if kind.is_badge]
    had = Redemption.objects.of_member(member.pk).filter(state=State.FULFILLED, reward__kind__in=codes)
    found: dict[int, Reward] = {}
    for redemption in had.select_related("reward").order_by("pk"):
        found.setdefault(redemption.reward_id, redemption.reward)
    return {"badges": list(found.values())} if found else {}


@part("rewards/_interests.html")
def interests(member: Member) -> dict[str, Any]:
    """Return the categories there are, and which the member has chosen; nothing without categories."""
    chosen = interests_of(member.pk)
    categories = list(Category.objects.filter(rewards__in=Reward.objects.visible(timezone.now())).distinct())
    choices = [{"category": category, "is_chosen": category.pk in chosen} for category in categories]
    return {"choices": choices} if choices else {}


@require_POST
@login_required
def save_interests(request: HttpRequest) -> HttpResponse:
    """Keep what the member ticked; what is not shown at the moment stays chosen."""
    member = current_member(request.user)
    if member is None:
        return redirect("portal:join")
    now = timezone.now()
    shown = set(Category.objects.filter(rewards__in=Reward.objects.visible(now)).values_list("pk", flat=True))
    ticked = {int(pk) for pk in request.POST.getlist("category") if pk.isascii() and pk.isdigit() and len(pk) < 10}
    choose_interests(member_id=member.pk, category_ids=ticked | (interests_of(member.pk) - shown), at=now)
    messages.success(request, _("Your choice is saved."))
    return redirect("portal:profile")

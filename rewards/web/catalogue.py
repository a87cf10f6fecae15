"""The catalogue: the shelf with its filters, one reward, its picture, and the preview for staff."""

from typing import Any

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.utils.cache import patch_cache_control
from django.views.decorators.http import require_safe

from members.accounts.access import current_member
from rewards.browsing.shelf import browse
from rewards.catalogue.images import stored_width
from rewards.catalogue.models import Category, Reward
from rewards.redemption.offers import Offer, offers
from rewards.waiting.queueing import number_in_queue, place_of
from rewards.web.cards import card, facts_of_event, money_part, saved_price
from rewards.web.forms import ShelfForm
from rewards.wishes.wishing import wished_among


@require_safe
def catalogue(request: HttpRequest) -> HttpResponse:
    """Show a page of the shelf; a member sees what is missing, a visitor the prices."""
    now = timezone.now()
    member = current_member(request.user)
    visible = Reward.objects.visible(now)
    form = ShelfForm(request.GET, kinds=visible.order_by().values_list("kind", flat=True).distinct())
    wanted = form.wanted()
    shelf = browse(member=member, wanted=wanted, at=now)
    found = [offer.reward.pk for offer in shelf.offers]
    wished = wished_among(member_id=member.pk, reward_ids=found) if member else None
    shown = {
        "cards": [card(offer, wished=wished, at=now) for offer in shelf.offers],
        "categories": Category.objects.filter(rewards__in=visible).distinct(),
        "form": form,
        "shelf": shelf,
        "wanted": wanted,
        "member": member,
    }
    return render(request, "rewards/catalogue.html", shown)


@require_safe
def detail(request: HttpRequest, public_id: str) -> HttpResponse:
    """Show one reward with its conditions, and every reason why not."""
    return detail_page(request, visible_offer(request, public_id))


@require_safe
@login_required
def preview(request: HttpRequest, public_id: str) -> HttpResponse:
    """Show staff a reward as visitors will see it, also one that is not shown yet."""
    if not (request.user.is_staff and request.user.has_perm("rewards.view_reward")):
        raise PermissionDenied
    reward = get_object_or_404(
        Reward.objects.select_related("category", "minimum_tier", "partner"), public_id=public_id
    )
    [offer] = offers(member=None, rewards=[reward], at=timezone.now())
    return detail_page(request, offer, is_preview=True)


@require_safe
def picture(request: HttpRequest, public_id: str) -> FileResponse:
    """Send the picture of a reward, in the width ``w`` where it is kept, as data that no browser runs."""
    reward = get_object_or_404(Reward, public_id=public_id)
    if not reward.image:
        raise Http404
    wanted = request.GET.get("w", "")
    name = stored_width(reward.image, int(wanted)) if wanted in {"320", "640"} else str(reward.image)
    response = FileResponse(reward.image.storage.open(name, "rb"), content_type="image/webp")
    response["Content-Security-Policy"] = "default-src 'none'; sandbox"
    response["X-Content-Type-Options"] = "nosniff"
    patch_cache_control(response, public=True, max_age=3600)
    return response


def visible_offer(request: HttpRequest, public_id: str) -> Offer:
    """Return a visible reward as whoever asks sees it; raises Http404 for others."""
    now = timezone.now()
    rewards = Reward.objects.visible(now).select_related("category", "minimum_tier", "partner")
    reward = get_object_or_404(rewards, public_id=public_id)
    return offers(member=current_member(request.user), rewards=[reward], at=now)[0]


def detail_page(request: HttpRequest, offer: Offer, *, is_preview: bool = False) -> HttpResponse:
    """Show one reward: price, obstacles, event, queue."""
    member = None if is_preview else current_member(request.user)
    reward = offer.reward
    shown: dict[str, Any] = {
        "offer": offer,
        "reward": reward,
        "image_url": reward.picture_url,
        "member": member,
        "is_preview": is_preview,
        "saved": saved_price(offer),
        "money": money_part(reward),
        "event": facts_of_event(reward),
        "tier_prices": reward.tier_prices.select_related("tier").order_by("tier__rank"),
        "wished": bool(member and wished_among(member_id=member.pk, reward_ids=[reward.pk])),
    }
    if member is not None and reward.behaviour.has_waiting_list:
        shown |= _queue(member.pk, offer)
    return render(request, "rewards/detail.html", shown)


def _queue(member_id: int, offer: Offer) -> dict[str, Any]:
    place = place_of(member_id=member_id, reward_id=offer.reward.pk, at=timezone.now())
    return {
        "place": place,
        "number": number_in_queue(place) if place and place.state == "WAITING" else 0,
        "may_wait": [reason.why for reason in offer.reasons] == ["sold_out"],
    }

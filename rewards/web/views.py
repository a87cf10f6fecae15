"""The catalogue, the way to a redemption, and the wallet."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.cache import patch_cache_control
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from members.accounts.access import current_member, history_ids
from members.ledger.statements import spendable_points
from members.lib.paging import page_before
from members.lib.transactions import Busy
from members.programme.models import Programme
from rewards.catalogue.models import Category, Reward
from rewards.coupons.conditions import conditions_of
from rewards.coupons.presents import may_pass_on
from rewards.redemption import redeeming
from rewards.redemption.models import Redemption
from rewards.redemption.offers import Offer, offers, shelf
from rewards.web.cards import card, code_as_shown, wallet_row
from rewards.web.forms import RedeemForm, new_key

PAGE = 20


@require_safe
def catalogue(request: HttpRequest) -> HttpResponse:
    """Show the shelf; a member sees what is missing, a visitor the prices."""
    now = timezone.now()
    chosen = request.GET.get("category", "")
    member = current_member(request.user)
    categories = Category.objects.filter(rewards__in=Reward.objects.visible(now)).distinct()
    shown = {
        "cards": [card(offer, is_member=member is not None) for offer in shelf(member=member, at=now, category=chosen)],
        "categories": categories,
        "chosen": chosen,
    }
    return render(request, "rewards/catalogue.html", shown)


@require_safe
def detail(request: HttpRequest, public_id: str) -> HttpResponse:
    """Show one reward with its conditions, and every reason why not."""
    return _detail(request, _offer(request, public_id))


@require_safe
def picture(request: HttpRequest, public_id: str) -> FileResponse:
    """Send the picture of a reward as data that no browser runs."""
    reward = get_object_or_404(Reward, public_id=public_id)
    if not reward.image:
        raise Http404
    response = FileResponse(reward.image.open("rb"), content_type="image/webp")
    response["Content-Security-Policy"] = "default-src 'none'; sandbox"
    response["X-Content-Type-Options"] = "nosniff"
    patch_cache_control(response, public=True, max_age=3600)
    return response


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def redeem(request: HttpRequest, public_id: str) -> HttpResponse:
    """Ask once more (GET); redeem and lead to the code (POST). A form sent twice leads to the same code."""
    if request.method == "POST":
        return _redeem(request, public_id)
    offer = _offer(request, public_id)
    member = current_member(request.user)
    if not offer.is_open or member is None:
        return redirect("rewards:detail", public_id=public_id)
    return _confirm(request, offer, own=spendable_points(member.pk, timezone.now()))


@login_required
@require_safe
def wallet(request: HttpRequest) -> HttpResponse:
    """Show what the member has redeemed, newest first."""
    member = current_member(request.user)
    if member is None:
        return redirect("portal:home")
    before = request.GET.get("before", "")
    rows = Redemption.objects.of_member(member.pk).select_related("reward")
    page = page_before(rows, before_id=int(before) if before.isdecimal() and len(before) < 19 else None, limit=PAGE)
    now = timezone.now()
    kept = [wallet_row(row, at=now) for row in page.rows]
    return render(request, "rewards/wallet.html", {"kept": kept, "older_before": page.older_before})


@login_required
@require_safe
def redemption(request: HttpRequest, public_id: str) -> HttpResponse:
    """Show one redemption of the member with its code; nobody sees another member's."""
    member = current_member(request.user)
    own = Redemption.objects.of_member(member.pk) if member else Redemption.objects.none()
    row = get_object_or_404(own.select_related("reward", "store"), public_id=public_id)
    now = timezone.now()
    shown = {
        "redemption": row,
        "state": row.state_at(now),
        "words": row.words_at(now),
        "kind": row.reward.behaviour,
        "conditions": conditions_of(row.reward),
        "may_pass_on": row.member_id in history_ids(member.pk if member else 0) and may_pass_on(row, now),
        "link_waits": row.presents.filter(state="WAITING", expires_at__gt=now).exists(),
        "code_shown": code_as_shown(row),
        "redeemed_on": row.redeemed_at.astimezone(Programme.current().tz).date(),
    }
    return render(request, "rewards/redemption.html", shown)


def _offer(request: HttpRequest, public_id: str) -> Offer:
    now = timezone.now()
    rewards = Reward.objects.visible(now).select_related("category", "minimum_tier")
    reward = get_object_or_404(rewards, public_id=public_id)
    return offers(member=current_member(request.user), rewards=[reward], at=now)[0]


def _confirm(request: HttpRequest, offer: Offer, *, own: int) -> HttpResponse:
    price = offer.price
    shown = {
        "offer": offer,
        "form": RedeemForm(initial={"key": new_key(), "price": price}),
        "left": max(own - price, 0),
        "helped": max(price - own, 0),
    }
    return render(request, "rewards/confirm.html", shown)


def _redeem(request: HttpRequest, public_id: str) -> HttpResponse:
    member = current_member(request.user)
    form = RedeemForm(request.POST)
    if member is None or not form.is_valid():
        messages.error(request, _("Please try again from here."))
        return redirect("rewards:detail", public_id=public_id)
    reward = get_object_or_404(Reward, public_id=public_id)
    try:
        done = redeeming.redeem(member_id=member.pk, reward_id=reward.pk, **form.wanted())
    except redeeming.NotAvailable as refused:
        return _refused(request, Offer(reward, refused.reasons, 0, form.wanted()["price_seen"]))
    except (redeeming.KeyAlreadyUsed, Busy):
        messages.error(request, _("That did not work. Nothing was taken; please try again."))
        return redirect("rewards:detail", public_id=public_id)
    return redirect("rewards:redemption", public_id=done.public_id)


def _refused(request: HttpRequest, offer: Offer) -> HttpResponse:
    """Say why not on the page of the reward, with the status of a conflict."""
    response = _detail(request, offer)
    response.status_code = 409
    return response


def _detail(request: HttpRequest, offer: Offer) -> HttpResponse:
    shown = {
        "offer": offer,
        "reward": offer.reward,
        "image_url": offer.reward.picture_url,
        "member": current_member(request.user),
    }
    return render(request, "rewards/detail.html", shown)

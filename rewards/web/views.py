"""The way to a redemption, and the wallet."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from members.accounts.access import current_member, history_ids
from members.ledger.statements import spendable_points
from members.lib.paging import page_before
from members.lib.transactions import Busy
from members.programme.models import Programme
from rewards.catalogue.models import Reward
from rewards.coupons.conditions import conditions_of
from rewards.coupons.presents import may_pass_on
from rewards.handover.parcels import redeem_and_send
from rewards.redemption import redeeming
from rewards.redemption.models import Redemption
from rewards.redemption.offers import Offer
from rewards.web.cards import code_as_shown, facts_of_event, wallet_row
from rewards.web.catalogue import detail_page, visible_offer
from rewards.web.forms import RedeemForm, new_key
from rewards.web.handover import AddressForm, address_form, parcel_of

PAGE = 20


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def redeem(request: HttpRequest, public_id: str) -> HttpResponse:
    """Ask once more (GET); redeem and lead to the code (POST). A form sent twice leads to the same code."""
    if request.method == "POST":
        return _redeem(request, public_id)
    offer = visible_offer(request, public_id)
    member = current_member(request.user)
    if not offer.is_open or member is None:
        return redirect("rewards:detail", public_id=public_id)
    return _confirm(request, offer, member.pk, address_form(offer.reward, member_id=member.pk))


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
        "event": facts_of_event(row.reward),
        "redeemed_on": row.redeemed_at.astimezone(Programme.current().tz).date(),
        **parcel_of(row),
    }
    return render(request, "rewards/redemption.html", shown)


def _confirm(request: HttpRequest, offer: Offer, member_id: int, address: AddressForm | None) -> HttpResponse:
    """Ask once more; with the status of a mistake where the address that was sent has one."""
    price, own = offer.price, spendable_points(member_id, timezone.now())
    shown = {
        "offer": offer,
        "form": RedeemForm(initial={"key": new_key(), "price": price}),
        "left": max(own - price, 0),
        "helped": max(price - own, 0),
        "address": address,
    }
    is_wrong = address is not None and address.is_bound
    return render(request, "rewards/confirm.html", shown, status=422 if is_wrong else 200)


def _redeem(request: HttpRequest, public_id: str) -> HttpResponse:
    member = current_member(request.user)
    form = RedeemForm(request.POST)
    if member is None or not form.is_valid():
        messages.error(request, _("Please try again from here."))
        return redirect("rewards:detail", public_id=public_id)
    reward = get_object_or_404(Reward, public_id=public_id)
    address = address_form(reward, member_id=member.pk, data=request.POST)
    if address is not None and not address.is_valid():
        return _confirm(request, visible_offer(request, public_id), member.pk, address)
    wanted = {"member_id": member.pk, "reward_id": reward.pk, **form.wanted()}
    try:
        done = redeem_and_send(address=address.address(), **wanted) if address else redeeming.redeem(**wanted)
    except redeeming.NotAvailable as refused:
        return _refused(request, Offer(reward, refused.reasons, 0, form.wanted()["price_seen"]))
    except (redeeming.KeyAlreadyUsed, Busy):
        messages.error(request, _("That did not work. Nothing was taken; please try again."))
        return redirect("rewards:detail", public_id=public_id)
    return redirect("rewards:redemption", public_id=done.public_id)


def _refused(request: HttpRequest, offer: Offer) -> HttpResponse:
    """Say why not on the page of the reward, with the status of a conflict."""
    response = detail_page(request, offer)
    response.status_code = 409
    return response

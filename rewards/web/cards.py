"""What the card of a reward and the row of a redemption show."""

from collections.abc import Collection
from datetime import datetime
from typing import Any

from django.urls import reverse
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from members.lib.money import format_money
from members.programme.models import Programme
from rewards.browsing.shelf import NEAR_PART, NEAR_WHOLE
from rewards.catalogue.models import Reward
from rewards.redemption.models import Redemption
from rewards.redemption.offers import Offer
from rewards.redemption.states import State


def card(offer: Offer, *, wished: Collection[int] | None, at: datetime) -> dict[str, Any]:
    """Return the values of the card; a visitor (``wished`` is None) sees the price without personal notes."""
    reward = offer.reward
    return {
        "public_id": reward.public_id,
        "url": reverse("rewards:detail", args=[reward.public_id]),
        "title": reward.name,
        "price": offer.price,
        "saved": saved_price(offer),
        "money": money_part(reward),
        "seed": reward.public_id,
        "image_url": reward.picture_url,
        "image": reward,
        "motif": reward.motif,
        "badge": _badge(reward, at),
        "facts": facts_of_event(reward),
        "missing": offer.missing,
        "collected": offer.collected if offer.missing else 0,
        "is_near": is_near(offer),
        "off": offer.obstacle,
        "plain": wished is None and offer.is_open,
        "has_heart": wished is not None,
        "is_wished": wished is not None and reward.pk in wished,
    }


def is_near(offer: Offer) -> bool:
    """Tell whether only points are missing, and two thirds of them are there."""
    return bool(offer.missing) and offer.collected * NEAR_WHOLE >= offer.price * NEAR_PART


def saved_price(offer: Offer) -> dict[str, Any] | None:
    """Return the normal price and the tier whose price is another one; None where the price is the normal one."""
    normal = offer.reward.points
    if offer.price == normal:
        return None
    own = [each for each in offer.reward.tier_prices.all() if each.points == offer.price]
    tier = max(own, key=lambda each: each.tier.rank).tier.name if own else ""
    return {"normal": normal, "words": _("%(tier)s price") % {"tier": tier}}


def money_part(reward: Reward) -> str:
    """Return what is paid in money beside the points, or nothing."""
    return format_money(reward.money_price, reward.money_currency) if reward.money_price else ""


def facts_of_event(reward: Reward) -> dict[str, Any] | None:
    """Return when and where an event is, in the programme's zone; None for other rewards."""
    if reward.starts_at is None:
        return None
    zone = Programme.current().tz
    ends = reward.ends_at.astimezone(zone) if reward.ends_at else None
    starts = reward.starts_at.astimezone(zone)
    is_same_day = ends is not None and ends.date() == starts.date()
    return {"starts": starts, "ends": ends, "is_same_day": is_same_day, "place": reward.place}


def _badge(reward: Reward, at: datetime) -> str:
    if reward.offered_from is not None and reward.offered_from > at:
        return _("Coming soon")
    return _("From %(tier)s on") % {"tier": reward.minimum_tier.name} if reward.minimum_tier else ""


def wallet_row(redemption: Redemption, *, at: datetime) -> dict[str, Any]:
    """Return the values of one row of the wallet."""
    state = redemption.state_at(at)
    is_open = state == State.CAPTURED
    words = str(redemption.words_at(at))
    if is_open and redemption.last_day is not None:
        day = date_format(redemption.last_day, "DATE_FORMAT")
        words = _("%(state)s · until %(day)s") % {"state": words, "day": day}
    return {
        "url": reverse("rewards:redemption", args=[redemption.public_id]),
        "title": redemption.reward.name,
        "icon": redemption.reward.behaviour.icon if is_open or state == State.FULFILLED else "clock",
        "icon_kind": {State.CAPTURED: "accent", State.FULFILLED: "plus", State.EXPIRED: "gone"}.get(state, ""),
        "sub": words,
        "points": f"{redemption.points:,}",
        "points_unit": ngettext("point", "points", redemption.points),
    }


def code_as_shown(redemption: Redemption) -> str:
    """Return the code as people read it: our own in groups of four, a prepared one as it was prepared."""
    if redemption.pool_code_id is not None:
        return redemption.code
    return " ".join(redemption.code[start : start + 4] for start in range(0, len(redemption.code), 4))

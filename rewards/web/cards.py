"""What the card of a reward and the row of a redemption show."""

from datetime import datetime
from typing import Any

from django.urls import reverse
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from rewards.redemption.models import Redemption
from rewards.redemption.offers import Offer
from rewards.redemption.states import State


def card(offer: Offer, *, is_member: bool) -> dict[str, Any]:
    """Return the values of the card; a visitor sees the price without personal notes."""
    reward = offer.reward
    tier = reward.minimum_tier
    return {
        "url": reverse("rewards:detail", args=[reward.public_id]),
        "title": reward.name,
        "price": offer.price,
        "seed": reward.public_id,
        "image_url": reward.picture_url,
        "motif": reward.motif,
        "badge": _("From %(tier)s on") % {"tier": tier.name} if tier else "",
        "missing": offer.missing,
        "off": offer.obstacle,
        "plain": not is_member and offer.is_open,
    }


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

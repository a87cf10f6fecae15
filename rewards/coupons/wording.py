"""Why a coupon cannot be claimed, in the words of the active language."""

from django.utils.translation import gettext as _

from rewards.coupons.claiming import WhyNot
from rewards.coupons.models import Giveaway


def explain(why: WhyNot, giveaway: Giveaway | None = None) -> str:
    """Return one friendly sentence."""
    if why == WhyNot.TIER and giveaway is not None and giveaway.minimum_tier is not None:
        return _("For members from %(tier)s on") % {"tier": giveaway.minimum_tier.name}
    return {
        WhyNot.NOT_OPEN: _("Not open at the moment"),
        WhyNot.OVER: _("This giveaway is over"),
        WhyNot.TIER: _("For members of other tiers only"),
        WhyNot.SEGMENT: _("For invited members only"),
        WhyNot.TAKEN: _("You have it already"),
        WhyNot.ALL_GONE: _("All gone"),
    }[why]

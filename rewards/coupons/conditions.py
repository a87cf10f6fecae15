"""Under which conditions a coupon is used, in words: the same for the member, in the claim centre and at the till."""

from django.utils.translation import gettext as _

from members.lib.money import format_money
from members.programme.models import Programme
from rewards.catalogue.models import Reward


def conditions_of(reward: Reward) -> list[str]:
    """Return short sentences in the active language; reads the stores (prefetch ``stores`` for many)."""
    found = []
    names = sorted(store.name for store in reward.stores.all())
    if names:
        found.append(_("Only at: %(stores)s") % {"stores": _(", ").join(names)})
    if reward.minimum_purchase:
        amount = format_money(reward.minimum_purchase, reward.currency or Programme.current().currency)
        found.append(_("For a purchase of %(amount)s or more") % {"amount": amount})
    if "stacking" in reward.behaviour.fields:
        found.append(_STACKING[Reward.Stacking(reward.stacking)]())
    return found


_STACKING = {
    Reward.Stacking.TOGETHER: lambda: _("May be used together with other coupons"),
    Reward.Stacking.ALONE: lambda: _("Only one such coupon a purchase"),
}

"""Tiers in words and figures: how far it is, what each one needs and gives."""

from dataclasses import dataclass
from datetime import date

from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from members.lib import periods
from members.lib.money import format_money
from members.programme.models import Programme
from members.tiers.models import Tier, TierSet
from members.tiers.standing import TierProgress

HIGHEST_TONE = 3


@dataclass(frozen=True)
class Meter:
    """The way to the next tier as a bar with its figures in words."""

    value: int
    maximum: int
    figures: str
    missing: str


@dataclass(frozen=True)
class RungInWords:
    """One tier of the comparison."""

    name: str
    tone: int
    needs: str
    rate: str
    perks: list[str]
    is_current: bool


def tone_of(progress: TierProgress | None) -> int:
    """Return the colour of the member's card."""
    return min(progress.current.rank, HIGHEST_TONE) if progress else 0


def amount_in_words(basis: str, amount: int) -> str:
    """Return a figure of the ladder: points or money."""
    if basis == TierSet.Basis.SPEND:
        return format_money(amount, Programme.current().currency)
    return ngettext("%(points)s point", "%(points)s points", amount) % {
        "points": number_format(amount, force_grouping=True)
    }


def meter_of(progress: TierProgress) -> Meter | None:
    """Return the way from nothing to the next tier, or None at the top."""
    if progress.next is None:
        return None
    have = max(progress.qualified, 0)
    target = progress.next.threshold
    figures = {
        "have": amount_in_words(progress.basis, have),
        "target": amount_in_words(progress.basis, target),
    }
    missing = {"missing": amount_in_words(progress.basis, progress.needed), "tier": progress.next.name}
    # The tier rises some seconds after the points that reach it.
    sentence = (
        _("%(missing)s to go to %(tier)s") if progress.needed else _("You reached %(tier)s; it shows in a moment.")
    )
    return Meter(
        value=min(have, target),
        maximum=target,
        figures=_("%(have)s of %(target)s") % figures,
        missing=sentence % missing,
    )


def keep_day(progress: TierProgress) -> date | None:
    """Return the last day on which the present tier is certain; the lowest tier cannot be lost."""
    if progress.keep_until is None or progress.current.rank == 0:
        return None
    return periods.last_usable_day(progress.keep_until, Programme.current().tz)


def rungs_in_words(progress: TierProgress) -> list[RungInWords]:
    """Return the whole ladder, lowest first."""
    return [_rung(tier, progress) for tier in progress.tiers]


def _rung(tier: Tier, progress: TierProgress) -> RungInWords:
    return RungInWords(
        name=tier.name,
        tone=min(tier.rank, HIGHEST_TONE),
        needs=_needs(tier, progress.basis),
        rate=_rate(tier),
        perks=tier.perks,
        is_current=tier.pk == progress.current.pk,
    )


def _needs(tier: Tier, basis: str) -> str:
    if tier.threshold == 0:
        return _("From the first day")
    months = tier.tier_set.window_months
    return ngettext("%(amount)s in %(months)d month", "%(amount)s in %(months)d months", months) % {
        "amount": amount_in_words(basis, tier.threshold),
        "months": months,
    }


def _rate(tier: Tier) -> str:
    if tier.multiplier == 1:
        return _("Points for every purchase")
    return _("%(times)s times the points for every purchase") % {"times": number_format(tier.multiplier.normalize())}


def rules_in_words(tier_set: TierSet) -> list[str]:
    """Return how the ladder works: what counts, and how long a tier stays."""
    counted = (
        _("What you spend counts, returns are taken off; the last %(months)d months decide.")
        if tier_set.basis == TierSet.Basis.SPEND
        else _("Points earned by shopping count, returns are taken off; the last %(months)d months decide.")
    )
    return [
        counted % {"months": tier_set.window_months},
        _("You rise as soon as you reach the next tier. A tier stays yours for at least %(months)d months.")
        % {"months": tier_set.keep_months},
        _("Spending points never costs you your tier."),
    ]

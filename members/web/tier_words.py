"""Tiers in words and figures: how far it is, what each one needs and gives."""

from dataclasses import dataclass
from datetime import date

from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from members.lib import periods
from members.programme.models import Programme
from members.tiers.counting import asked_by
from members.tiers.models import Tier, TierSet
from members.tiers.reinstating import window_of
from members.tiers.standing import TierProgress
from members.tiers.words import amount_in_words, asked_in_words

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
    gift: str
    perks: list[str]
    comes_back: str
    is_current: bool


def tone_of(progress: TierProgress | None) -> int:
    """Return the colour of the member's card."""
    return min(progress.current.rank, HIGHEST_TONE) if progress else 0


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


def further_in_words(progress: TierProgress) -> list[str]:
    """Return what the next tier asks for beside the main thing, which is the bar."""
    return asked_in_words(progress.asked[1:])


def keep_day(progress: TierProgress) -> date | None:
    """Return the last day on which the present tier is certain; the lowest tier cannot be lost."""
    ends = progress.granted_until if progress.is_granted else progress.grace_until or progress.keep_until
    if ends is None or progress.current.rank == 0:
        return None
    return periods.last_usable_day(ends, Programme.current().tz)


def rungs_in_words(progress: TierProgress) -> list[RungInWords]:
    """Return the whole ladder, lowest first."""
    return [_rung(tier, progress) for tier in progress.tiers]


def _rung(tier: Tier, progress: TierProgress) -> RungInWords:
    return RungInWords(
        name=tier.name,
        tone=min(tier.rank, HIGHEST_TONE),
        needs=_needs(tier, needs_all=progress.needs_all),
        rate=_rate(tier),
        gift=_gift(tier),
        perks=tier.perks,
        comes_back=_comes_back(tier),
        is_current=tier.pk == progress.current.pk,
    )


def _needs(tier: Tier, *, needs_all: bool) -> str:
    if tier.rank == 0:
        return _("From the first day")
    amounts = [amount_in_words(basis, threshold) for basis, threshold in asked_by(tier.tier_set, tier)]
    joined = (_(" and ") if needs_all else _(" or ")).join(amounts)
    return _in_window(tier.tier_set) % {"amount": joined, "months": tier.tier_set.window_months,
                                        "days": tier.tier_set.window_days}  # fmt: skip


def _in_window(tier_set: TierSet) -> str:
    window = TierSet.Window
    if tier_set.basis == TierSet.Basis.TENURE:
        return "%(amount)s"
    words = {
        window.MONTHS: ngettext(
            "%(amount)s in %(months)d month", "%(amount)s in %(months)d months", tier_set.window_months
        ),
        window.DAYS: ngettext("%(amount)s in %(days)d day", "%(amount)s in %(days)d days", tier_set.window_days),
        window.YEAR: _("%(amount)s in a calendar year"),
        window.HALF: _("%(amount)s in a half-year"),
        window.QUARTER: _("%(amount)s in a quarter"),
        window.MONTH: _("%(amount)s in a calendar month"),
        window.JOINED: _("%(amount)s in a year of membership"),
        window.TIER_START: _("%(amount)s in a year of your tier"),
        window.LIFETIME: _("%(amount)s in all"),
    }
    return words[window(tier_set.window)]


def _gift(tier: Tier) -> str:
    """Return what reaching the tier brings."""
    parts = [amount_in_words(TierSet.Basis.POINTS, tier.gift_points)] if tier.gift_points else []
    parts += [tier.gift] if tier.gift else []
    return _("Welcome gift: %(gift)s") % {"gift": _(" and ").join(parts)} if parts else ""


def _comes_back(tier: Tier) -> str:
    """Return how long members of the tier can bring expired points back themselves, and for how long then."""
    window = window_of(tier)
    if window.days is None or not Programme.current().members_may_reinstate:
        return ""
    within = ngettext("%(days)d day", "%(days)d days", window.days) % {"days": window.days}
    lasts = ngettext("%(days)d day", "%(days)d days", window.lasts) % {"days": window.lasts}
    return _("Expired points can come back within %(within)s and then last %(lasts)s") % {
        "within": within,
        "lasts": lasts,
    }


def _rate(tier: Tier) -> str:
    if tier.multiplier == 1:
        return _("Points for every purchase")
    return _("%(times)s times the points for every purchase") % {"times": number_format(tier.multiplier.normalize())}


def rules_in_words(tier_set: TierSet) -> list[str]:
    """Return how the ladder works: what counts, and how long a tier stays."""
    return [_counted(tier_set), _kept(tier_set), _("Spending points never costs you your tier.")]


def _counted(tier_set: TierSet) -> str:
    if tier_set.window != TierSet.Window.MONTHS or tier_set.basis not in {TierSet.Basis.SPEND, TierSet.Basis.POINTS}:
        return _("Returned purchases are taken off.")
    counted = (
        _("What you spend counts, returns are taken off; the last %(months)d months decide.")
        if tier_set.basis == TierSet.Basis.SPEND
        else _("Points earned by shopping count, returns are taken off; the last %(months)d months decide.")
    )
    return counted % {"months": tier_set.window_months}


def _kept(tier_set: TierSet) -> str:
    keep = TierSet.Keep
    if tier_set.drop == TierSet.Drop.NONE:
        return _("You rise as soon as you reach the next tier. A tier stays yours for ever.")
    words = {
        keep.MONTHS: _(
            "You rise as soon as you reach the next tier. A tier stays yours for at least %(months)d months."
        ),
        keep.DAYS: _("You rise as soon as you reach the next tier. A tier stays yours for at least %(days)d days."),
        keep.PERIOD: _("You rise as soon as you reach the next tier. A tier stays yours to the end of the period."),
        keep.NEXT_PERIOD: _(
            "You rise as soon as you reach the next tier. A tier stays yours to the end of the next period."
        ),
    }
    return words[keep(tier_set.keep)] % {"months": tier_set.keep_months, "days": tier_set.keep_days}

"""Figures of the ladder and the next review in words: the same for members and staff."""

from dataclasses import dataclass

from django.utils.formats import date_format, number_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from members.lib import periods
from members.lib.money import format_money
from members.programme.models import Programme
from members.tiers.models import TierSet
from members.tiers.standing import Asked, Outlook, TierProgress


@dataclass(frozen=True)
class OutlookInWords:
    """What staying takes, by when, and what the next review would give."""

    asked: list[str]
    sentence: str


def amount_in_words(basis: str, amount: int) -> str:
    """Return a figure of the ladder: points, money, purchases, friends or months."""
    if basis == TierSet.Basis.SPEND:
        return format_money(amount, Programme.current().currency)
    words = {
        TierSet.Basis.PURCHASES: ngettext("%(points)s purchase", "%(points)s purchases", amount),
        TierSet.Basis.REFERRALS: ngettext("%(points)s friend brought", "%(points)s friends brought", amount),
        TierSet.Basis.TENURE: ngettext("%(points)s month with us", "%(points)s months with us", amount),
    }
    plain = ngettext("%(points)s point", "%(points)s points", amount)
    return words.get(TierSet.Basis(basis), plain) % {"points": number_format(amount, force_grouping=True)}


def asked_in_words(asked: list[Asked]) -> list[str]:
    """Return each thing that a tier asks for with what there is of it."""
    return [
        _("%(have)s of %(target)s")
        % {"have": amount_in_words(each.basis, each.have), "target": amount_in_words(each.basis, each.needs)}
        for each in asked
    ]


def outlook_in_words(progress: TierProgress, outlook: Outlook | None) -> OutlookInWords | None:
    """Return what staying takes; None where nothing can be lost or a decision holds the tier."""
    if outlook is None or progress.is_granted:
        return None
    day = periods.last_usable_day(outlook.review_at, Programme.current().tz)
    said = {"day": date_format(day, "DATE_FORMAT"), "tier": progress.current.name, "next": outlook.projected.name}
    if outlook.stays:
        return OutlookInWords([], _("You have done enough to keep %(tier)s after %(day)s.") % said)
    sentence = _("To keep %(tier)s after %(day)s you need this by then; otherwise you will be %(next)s.")
    return OutlookInWords(asked_in_words(outlook.to_stay), sentence % said)

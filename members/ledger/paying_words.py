"""Paying with points in words: what points are worth, and why they pay nothing or less than was asked."""

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop, ngettext

from members.ledger.paying import Quote
from members.ledger.worth import Terms, Why
from members.lib.money import format_money

_SENTENCES = {
    Why.OFF: gettext_noop("Paying with points is not offered."),
    Why.NO_VALUE: gettext_noop("Points cannot pay in this currency."),
    Why.MISCONFIGURED: gettext_noop("Paying with points is not set up completely."),
    Why.NO_POINTS: gettext_noop("There are no points to spend."),
    Why.BALANCE: gettext_noop("Only %(spendable)s points can be spent."),
    Why.SHARE: gettext_noop("Points pay at most %(share)s%% of a purchase."),
    Why.PURCHASE: gettext_noop("Points pay at most the whole purchase."),
    Why.WHOLE_BLOCKS: gettext_noop("Points are used %(block)s at a time."),
    Why.WHOLE_UNITS: gettext_noop("Points that would pay nothing are left."),
    Why.BELOW_MINIMUM: gettext_noop("At least %(least)s points are needed."),
}


def reasons_in_words(quoted: Quote) -> list[str]:
    """Return a sentence for each reason of the quote, in the active language."""
    terms = quoted.terms
    figures = {"spendable": f"{quoted.spendable:,}", "share": terms.share, "block": f"{terms.block:,}"}
    if terms.refusal is None:
        figures["least"] = f"{terms.least:,}"
    return [_(_SENTENCES[why]) % figures for why in quoted.payment.reasons]


def example_in_words(terms: Terms, currency: str) -> str:
    """Return what the terms mean in a currency, or why nothing can be paid with points."""
    return _(_SENTENCES[terms.refusal]) if terms.refusal else terms_in_words(terms, currency)


def terms_in_words(terms: Terms, currency: str) -> str:
    """Return what the fewest points that pay are worth and how far they go; for terms that can be used."""
    points, money = terms.least, format_money(terms.least // terms.block * terms.amount, currency)
    worth = ngettext("%(points)s point = %(money)s", "%(points)s points = %(money)s", points)
    figures = {"worth": worth % {"points": f"{points:,}", "money": money}, "share": terms.share}
    if terms.share == 100:
        return _("%(worth)s, up to the whole purchase.") % figures
    if terms.share == 50:
        return _("%(worth)s, at most half of a purchase.") % figures
    return _("%(worth)s, at most %(share)s%% of a purchase.") % figures

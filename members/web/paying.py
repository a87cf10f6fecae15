"""What a member's points are worth at the till, for the home page."""

from dataclasses import dataclass

from django.utils.translation import ngettext

from members.ledger.paying import terms_in
from members.ledger.paying_words import terms_in_words
from members.ledger.worth import worth
from members.lib.money import format_money
from members.programme.models import Programme


@dataclass(frozen=True)
class PayingCard:
    """By which terms points pay, and what the balance is worth or how many points are missing."""

    terms: str
    worth: str
    missing: str


def paying_card(spendable: int) -> PayingCard | None:
    """Return the card in the programme's currency; None where points pay nothing."""
    programme = Programme.current()
    if not programme.pays_with_points:
        return None
    terms = terms_in(programme.currency)
    if terms.refusal is not None:
        return None
    money = worth(terms, spendable)
    return PayingCard(
        terms=terms_in_words(terms, programme.currency),
        worth=_worth(spendable, format_money(money, programme.currency)) if money else "",
        missing=_missing(max(0, terms.least - spendable)),
    )


def _worth(points: int, money: str) -> str:
    text = ngettext(
        "Your %(points)s point pays up to %(money)s.", "Your %(points)s points pay up to %(money)s.", points
    )
    return text % {"points": f"{points:,}", "money": money}


def _missing(points: int) -> str:
    text = ngettext(
        "%(points)s more point, and you can pay with them.",
        "%(points)s more points, and you can pay with them.",
        points,
    )
    return text % {"points": f"{points:,}"}

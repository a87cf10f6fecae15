"""The reasons why not, in the words of the active language."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from members.programme.models import Programme
from rewards.catalogue.availability import Reason, Why


def explain(reason: Reason) -> str:
    """Return one friendly sentence with the figures of the reason."""
    return _WORDS[reason.why](reason.figures)


def _day(instant: datetime) -> str:
    return date_format(instant.astimezone(Programme.current().tz), "DATE_FORMAT")


def _amount(points: int) -> str:
    return f"{points:,}"


def _missing(figures: dict[str, Any]) -> str:
    text = ngettext("%(points)s point missing", "%(points)s points missing", figures["missing"])
    return text % {"points": _amount(figures["missing"])}


def _own_missing(figures: dict[str, Any]) -> str:
    text = ngettext(
        "%(points)s of your own points missing: points that wait for a payment cannot come from your household",
        "%(points)s of your own points missing: points that wait for a payment cannot come from your household",
        figures["missing"],
    )
    return text % {"points": _amount(figures["missing"])}


def _limit(figures: dict[str, Any]) -> str:
    count = figures["limit"]
    texts = {
        "DAY": ngettext(
            "Limit reached: %(count)s a day for each member", "Limit reached: %(count)s a day for each member", count
        ),
        "WEEK": ngettext(
            "Limit reached: %(count)s a week for each member", "Limit reached: %(count)s a week for each member", count
        ),
        "MONTH": ngettext(
            "Limit reached: %(count)s a month for each member",
            "Limit reached: %(count)s a month for each member",
            count,
        ),
        "YEAR": ngettext(
            "Limit reached: %(count)s a year for each member", "Limit reached: %(count)s a year for each member", count
        ),
        "EVER": ngettext("Limit reached: %(count)s for each member", "Limit reached: %(count)s for each member", count),
    }
    return texts[figures["period"]] % {"count": _amount(count)}


_WORDS: dict[Why, Callable[[dict[str, Any]], str]] = {
    Why.MEMBER_CLOSED: lambda figures: _("This membership is closed"),
    Why.NOT_OFFERED: lambda figures: _("Not on offer now"),
    Why.NOT_YET: lambda figures: _("From %(day)s") % {"day": _day(figures["from"])},
    Why.OVER: lambda figures: _("The offer has ended"),
    Why.PRICE_CHANGED: lambda figures: (
        _("The price has changed to %(points)s points") % {"points": _amount(figures["price"])}
    ),
    Why.TIER: lambda figures: _("For members from %(tier)s on") % {"tier": figures["tier"]},
    Why.SEGMENT: lambda figures: _("For invited members only"),
    Why.LIMIT_REACHED: _limit,
    Why.SOLD_OUT: lambda figures: _("Sold out"),
    Why.NO_CODES: lambda figures: _("No codes left at the moment"),
    Why.STORE: lambda figures: _("Not at this store"),
    Why.POINTS_MISSING: _missing,
    Why.OWN_POINTS_MISSING: _own_missing,
    Why.ACCOUNT_UNDER_REVIEW: lambda figures: _("We are checking your points. Please try again later"),
}

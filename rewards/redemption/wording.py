"""Why a redemption cannot make a move, in the words of the active language."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from members.programme.models import Programme
from rewards.redemption.models import Redemption
from rewards.redemption.refusals import Refusal, Refused


def explain(refused: Refused) -> str:
    """Return one friendly sentence with the figures of the refusal."""
    return _WORDS[refused.why](refused.figures)


def _day(instant: datetime) -> str:
    return date_format(instant.astimezone(Programme.current().tz), "DATE_FORMAT")


def _state(figures: dict[str, Any]) -> str:
    return _("This is not possible any more: %(state)s.") % {"state": Redemption.States(figures["state"]).label}


def _too_late(figures: dict[str, Any]) -> str:
    days = figures["days"]
    text = ngettext(
        "This could be undone for %(count)s day only. You can give points back instead.",
        "This could be undone for %(count)s days only. You can give points back instead.",
        days,
    )
    return text % {"count": days}


_WORDS: dict[Refusal, Callable[[dict[str, Any]], str]] = {
    Refusal.STATE: _state,
    Refusal.NOT_PAID: lambda figures: _("The money for this reward is not paid yet."),
    Refusal.HOLD_OVER: lambda figures: _("The time to pay is over; the points went back."),
    Refusal.EXPIRED: lambda figures: _("The last day to use this has passed."),
    Refusal.NOT_YET_USABLE: lambda figures: _("This can be used from %(day)s on.") % {"day": _day(figures["from"])},
    Refusal.WRONG_STORE: lambda figures: _("This cannot be used at this store."),
    Refusal.NO_CODE: lambda figures: _("This is done at once and cannot be undone."),
    Refusal.TOO_LATE: _too_late,
    Refusal.MORE_THAN_HELD: lambda figures: _("Only %(points)s points are held.") % {"points": figures["held"]},
    Refusal.MORE_THAN_SPENT: lambda figures: (
        _("Only %(points)s points are left to give back.") % {"points": figures["left"]}
    ),
    Refusal.NO_POINTS: lambda figures: _("This cost no points, so none can be given back."),
    Refusal.PARCEL_NOT_SENT: lambda figures: _("The parcel has not left yet."),
    Refusal.PARCEL_ON_ITS_WAY: lambda figures: _("The parcel has left already or is cancelled."),
    Refusal.OWN_REDEMPTION: lambda figures: _("Nobody handles a reward of their own."),
}

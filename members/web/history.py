"""Entries of the ledger as members read them."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from members.earning.explanation import explain
from members.ledger.models import PointsEntry
from members.ledger.notices import told_end
from members.ledger.reinstating import reinstatable
from members.lib import periods
from members.programme.models import Programme

Kind = PointsEntry.Kind

ICONS = {
    Kind.EARN: "bag",
    Kind.GRANT: "gift",
    Kind.RETURN: "refund",
    Kind.REDEEM: "ticket",
    Kind.REFUND: "refund",
    Kind.EXPIRE: "clock",
    Kind.ADJUST: "settings",
    Kind.TAKE_BACK: "minus",
    Kind.HOLD: "clock",
    Kind.CAPTURE: "ticket",
    Kind.RELEASE: "refund",
    Kind.TRANSFER: "users",
    Kind.REINSTATE: "refund",
}

# Their steps or their word say enough; the others show the first reason at once.
SELF_EXPLAINING = {Kind.EARN, Kind.EXPIRE}


@dataclass(frozen=True)
class Line:
    """One entry: a word, a sign, a picture, the first reason, and what else there is to say about the why."""

    title: str
    sign: str
    icon: str
    points: int
    at: datetime
    note: str
    why: list[str]
    # The expired entry of which the member can bring so many points back.
    entry_id: int = 0
    can_come_back: int = 0


@dataclass(frozen=True)
class Month:
    """The entries of one month of the reader's calendar."""

    first: date
    entries: list[Line]


def line_of(entry: PointsEntry) -> Line:
    """Return the entry in the reader's language; every earning says until when it can be used."""
    why = explain(entry)
    note = why.pop(0) if why and entry.kind not in SELF_EXPLAINING else ""
    return Line(
        title=title_of(entry),
        sign=sign_of(entry),
        icon=ICONS[Kind(entry.kind)],
        points=entry.points,
        at=entry.occurred_at,
        note=note,
        why=why + until(entry),
    )


def title_of(entry: PointsEntry) -> str:
    """Return the word of the entry, as seen by the member whose points they are."""
    if entry.kind == Kind.TRANSFER:
        return _("Points received") if entry.points > 0 else _("Points given")
    return capfirst(entry.get_kind_display())


def sign_of(entry: PointsEntry) -> str:
    """Return how the amount is drawn: plus, minus, or gone for points that ended unused."""
    if entry.kind == Kind.EXPIRE:
        return "gone"
    return "plus" if entry.points >= 0 else "minus"


def until(entry: PointsEntry) -> list[str]:
    """Return the sentence about the last day of the points that an entry brought, or nothing.

    Points that end only after a notice have the first end that a notice sent now would allow.
    """
    ends = {end for end in (_end_of(entry, "first"), _end_of(entry, "last")) if end is not None}
    days = [date_format(periods.last_usable_day(end, Programme.current().tz)) for end in sorted(ends)]
    if len(days) > 1:
        text = _("Last day to use the first of these points: %(first)s; the last of them: %(last)s.")
        return [text % {"first": days[0], "last": days[1]}]
    return [_("Last day to use these points: %(day)s.") % {"day": day} for day in days]


def _end_of(entry: PointsEntry, which: str) -> datetime | None:
    end: datetime | None = getattr(entry, f"{which}_end", None)
    if end is None or not getattr(entry, f"{which}_notice_due", False):
        return end
    return told_end(end, told_at=timezone.now())


def by_month(entries: Iterable[PointsEntry], *, at: datetime) -> list[Month]:
    """Return the lines under the months of the active time zone, newest first, each month once.

    A purchase that was reported late stands where it belongs; of one instant the order given stays.
    Lines of expired points that the member can bring back at ``at`` say how many.
    """
    entries = sorted(entries, key=lambda entry: entry.occurred_at, reverse=True)
    can_come_back = reinstatable(entries, at=at) if Programme.current().members_may_reinstate else {}
    months: dict[date, list[Line]] = {}
    for entry in entries:
        line = replace(line_of(entry), entry_id=entry.pk, can_come_back=can_come_back.get(entry.pk, 0))
        months.setdefault(timezone.localtime(line.at).date().replace(day=1), []).append(line)
    return [Month(first, lines) for first, lines in months.items()]

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
    Kind.TRANSFER: "refund",
    Kind.REINSTATE: "refund",
}

# Their steps or their word say enough; the others show the first reason at once.
SELF_EXPLAINING = {Kind.EARN, Kind.EXPIRE}


@dataclass(frozen=True)
class Line:
    """One entry: a word, a sign, a picture, a short reason, and the whole why."""

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
    return Line(
        title=capfirst(entry.get_kind_display()),
        sign=sign_of(entry),
        icon=ICONS[Kind(entry.kind)],
        points=entry.points,
        at=entry.occurred_at,
        note=why[0] if why and entry.kind not in SELF_EXPLAINING else "",
        why=why + until(entry),
    )


def sign_of(entry: PointsEntry) -> str:
    """Return how the amount is drawn: plus, minus, or gone for points that ended unused."""
    if entry.kind == Kind.EXPIRE:
        return "gone"
    return "plus" if entry.points >= 0 else "minus"


def until(entry: PointsEntry) -> list[str]:
    """Return the sentence about the last day of the points that an entry brought, or nothing.

    Points that end only after a notice have the first end that a notice sent now would allow.
    """
    ends: set[datetime | None] = {getattr(entry, name, None) for name in ("first_end", "last_end")}
    known = {end for end in ends if end is not None}
    if getattr(entry, "notice_due", False):
        known = {told_end(end, told_at=timezone.now()) for end in known}
    days = [periods.last_usable_day(end, Programme.current().tz) for end in sorted(known)]
    return [_("Last day to use these points: %(day)s.") % {"day": date_format(day)} for day in days]


def by_month(entries: Iterable[PointsEntry], *, at: datetime) -> list[Month]:
    """Return the lines under the months of the active time zone, each month once, in the order given.

    Lines of expired points that the member can bring back at ``at`` say how many.
    """
    entries = list(entries)
    can_come_back = reinstatable(entries, at=at) if Programme.current().members_may_reinstate else {}
    months: dict[date, list[Line]] = {}
    for entry in entries:
        line = replace(line_of(entry), entry_id=entry.pk, can_come_back=can_come_back.get(entry.pk, 0))
        months.setdefault(timezone.localtime(line.at).date().replace(day=1), []).append(line)
    return [Month(first, lines) for first, lines in months.items()]

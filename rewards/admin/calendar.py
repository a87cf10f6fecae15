"""The calendar of offers: months across, a bar for each reward, gaps and overlaps of each category."""

import re
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import groupby

from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from members.lib import periods
from members.programme.models import Programme
from rewards.catalogue.dates import Coverage, Stretch, clipped, coverage
from rewards.catalogue.models import Reward

MONTHS = 6


@dataclass(frozen=True)
class Bar:
    """A part of the line, in days from its left end."""

    left: int
    width: int
    kind: str
    words: str


@dataclass(frozen=True)
class Line:
    """One reward, or the sum of a category (without ``reward_id``)."""

    name: str
    bars: list[Bar]
    words: list[str]
    reward_id: int | None = None


@dataclass(frozen=True)
class Calendar:
    """A window of whole months and its lines, each category with its sum first."""

    days: int
    months: list[Bar]
    lines: list[Line]
    earlier: str
    later: str
    today: int | None


def calendar_from(wanted: str, *, today: date) -> Calendar:
    """Return the calendar of six months from the month ``wanted`` (2026-05), the present one for nonsense."""
    first = _month(wanted) or today.replace(day=1)
    window = Stretch(first, periods.add_months(first, MONTHS) - timedelta(days=1))
    starts = [periods.add_months(first, number) for number in range(MONTHS)]
    rewards = Reward.objects.filter(is_active=True).select_related("category").in_order()
    lines = [line for _key, group in groupby(rewards, key=_shelf) for line in _category(list(group), window)]
    return Calendar(
        days=window.days,
        months=[
            _bar(Stretch(start, periods.month_end(start)), window, "month", _month_name(start)) for start in starts
        ],
        lines=lines,
        earlier=f"{periods.add_months(first, -MONTHS):%Y-%m}",
        later=f"{periods.add_months(first, MONTHS):%Y-%m}",
        today=(today - first).days if window.first <= today <= window.last else None,
    )


def _month(wanted: str) -> date | None:
    match = re.fullmatch(r"(20\d\d)-(0[1-9]|1[0-2])", wanted, re.ASCII)
    return date(int(match[1]), int(match[2]), 1) if match else None


def _month_name(day: date) -> str:
    return date_format(day, "YEAR_MONTH_FORMAT")


def _shelf(reward: Reward) -> str:
    return reward.category.name if reward.category else _("without category")


def _category(rewards: list[Reward], window: Stretch) -> list[Line]:
    offers = [part for reward in rewards if (part := _offered(reward, window)) is not None]
    parts = coverage(offers, window)
    bars = [_bar(part.stretch, window, _density(part), _spoken(part)) for part in parts]
    return [
        Line(_shelf(rewards[0]), bars, [_spoken(part) for part in parts]),
        *(_line(each, window) for each in rewards),
    ]


def _density(part: Coverage) -> str:
    return {0: "gap", 1: "one"}.get(part.offered, "several")


def _spoken(part: Coverage) -> str:
    days = _from_to(part.stretch)
    if part.offered == 0:
        return _("Nothing on offer: %(days)s") % {"days": days}
    text = ngettext("%(count)s reward on offer: %(days)s", "%(count)s rewards on offer: %(days)s", part.offered)
    return text % {"count": part.offered, "days": days}


def _from_to(stretch: Stretch) -> str:
    return f"{date_format(stretch.first, 'SHORT_DATE_FORMAT')} – {date_format(stretch.last, 'SHORT_DATE_FORMAT')}"


def _line(reward: Reward, window: Stretch) -> Line:
    shown, offered = _shown(reward, window), _offered(reward, window)
    bars = [
        _bar(stretch, window, kind, f"{words} {_from_to(stretch)}")
        for stretch, kind, words in ((shown, "shown", _("shown")), (offered, "offered", _("offered")))
        if stretch is not None
    ]
    return Line(reward.name, bars, [bar.words for bar in bars], reward.pk)


def _days(reward: Reward) -> tuple[date | None, date | None, date | None]:
    zone = Programme.current().tz
    shown, offered = (each and periods.local_day(each, zone) for each in (reward.visible_from, reward.offered_from))
    last = reward.offered_until and periods.last_usable_day(reward.offered_until, zone)
    return shown, max(filter(None, (shown, offered)), default=None), last


def _shown(reward: Reward, window: Stretch) -> Stretch | None:
    shown, _offered_from, last = _days(reward)
    return clipped(shown, last, window)


def _offered(reward: Reward, window: Stretch) -> Stretch | None:
    _shown_from, offered, last = _days(reward)
    return clipped(offered, last, window)


def _bar(stretch: Stretch, window: Stretch, kind: str, words: str) -> Bar:
    return Bar((stretch.first - window.first).days, stretch.days, kind, words)

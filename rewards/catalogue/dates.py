"""When rewards are shown and offered: their state now, and what a stretch of time holds. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import pairwise

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _

from rewards.catalogue.models import Reward


class OfferState(TextChoices):
    """Where the dates of a reward stand."""

    OFF = "OFF", _("switched off")
    HIDDEN = "HIDDEN", _("not shown yet")
    COMING = "COMING", _("coming soon")
    OFFERED = "OFFERED", _("on offer")
    OVER = "OVER", _("over")


@dataclass(frozen=True)
class Stretch:
    """Days from the first to the last, both counted."""

    first: date
    last: date

    @property
    def days(self) -> int:
        """How many days it has."""
        return (self.last - self.first).days + 1


@dataclass(frozen=True)
class Coverage:
    """So many rewards are on offer on each day of a stretch."""

    stretch: Stretch
    offered: int


def state_of_offer(reward: Reward, at: datetime) -> OfferState:
    """Return where the dates of a reward stand at an instant."""
    if not reward.is_active:
        return OfferState.OFF
    if reward.offered_until is not None and reward.offered_until <= at:
        return OfferState.OVER
    if reward.visible_from is not None and reward.visible_from > at:
        return OfferState.HIDDEN
    if reward.offered_from is not None and reward.offered_from > at:
        return OfferState.COMING
    return OfferState.OFFERED


def clipped(first: date | None, last: date | None, window: Stretch) -> Stretch | None:
    """Return the part of the days from ``first`` to ``last`` (None: without end) that lies in the window."""
    start, end = max(first or window.first, window.first), min(last or window.last, window.last)
    return Stretch(start, end) if start <= end else None


def coverage(offers: Iterable[Stretch], window: Stretch) -> list[Coverage]:
    """Return how many offers hold on each day of the window, as stretches with one number each, in order."""
    inside = [part for each in offers if (part := clipped(each.first, each.last, window)) is not None]
    changes: dict[int, int] = {window.first.toordinal(): 0}
    for each in inside:
        changes[each.first.toordinal()] = changes.get(each.first.toordinal(), 0) + 1
        changes[each.last.toordinal() + 1] = changes.get(each.last.toordinal() + 1, 0) - 1
    return _stretches(changes, window)


def _stretches(changes: dict[int, int], window: Stretch) -> list[Coverage]:
    end = window.last.toordinal() + 1
    days = [*sorted(day for day in changes if day < end), end]
    found: list[Coverage] = []
    offered = 0
    for day, following in pairwise(days):
        offered += changes[day]
        last = date.fromordinal(following - 1)
        if found and found[-1].offered == offered:
            found[-1] = Coverage(Stretch(found[-1].stretch.first, last), offered)
        else:
            found.append(Coverage(Stretch(date.fromordinal(day), last), offered))
    return found


def gaps(parts: Sequence[Coverage]) -> list[Stretch]:
    """Return the stretches in which nothing is on offer."""
    return [part.stretch for part in parts if part.offered == 0]

"""The days in which expired points can come back, and how long they last then."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime

from members.programme.models import Programme


@dataclass(frozen=True)
class Window:
    """Expired points come back within ``days`` (None: never) and last ``lasts`` days."""

    days: int | None
    lasts: int


Ask = Callable[[Collection[int], datetime], dict[int, Window]]

_asked: list[Ask] = []


def windows_of_circles(ask: Ask) -> Ask:
    """Register who knows of members with a window of their own (tiers); whoever it leaves out has the programme's."""
    _asked.append(ask)
    return ask


def windows(member_ids: Collection[int], at: datetime) -> dict[int, Window]:
    """Return the window of each member at ``at``."""
    programme = Programme.current()
    usual = Window(programme.reinstate_days, programme.reinstated_for_days)
    found = dict.fromkeys(member_ids, usual)
    for ask in _asked:
        found |= ask(member_ids, at)
    return found

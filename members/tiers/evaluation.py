"""Which tier figures reach, and what a review makes of it. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

# What counts, by what it is counted in: points, minor units of money, purchases, friends, months.
Figures = Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Criterion:
    """One thing a tier asks for."""

    basis: str
    threshold: int

    def is_met(self, figures: Figures) -> bool:
        """Whether there is enough: exactly the threshold is."""
        return figures.get(self.basis, 0) >= self.threshold


@dataclass(frozen=True, slots=True)
class Rung:
    """A tier as arithmetic sees it."""

    id: int
    rank: int
    criteria: tuple[Criterion, ...]
    is_never_lost: bool = False


@dataclass(frozen=True, slots=True)
class Ladder:
    """The tiers of one version, lowest first, and how they are lost."""

    rungs: Sequence[Rung]
    needs_all: bool = True
    drop: str = "FULL"
    has_grace: bool = False

    def is_kept_for_ever(self, rank: int) -> bool:
        """Whether no review can take a tier of this rank."""
        return rank == 0 or self.drop == "NONE" or self.rungs[rank].is_never_lost


@dataclass(frozen=True, slots=True)
class Held:
    """What a member has earned so far, in ranks of the ladder in force."""

    rank: int
    keep_until: datetime | None = None
    grace_until: datetime | None = None


class Turn(StrEnum):
    """What happens to the earned tier."""

    START = "start"
    RISE = "rise"
    KEEP = "keep"
    GRACE = "grace"
    FALL = "fall"
    STAY = "stay"


def is_reached(figures: Figures, rung: Rung, *, needs_all: bool) -> bool:
    """Whether the figures reach a tier; the lowest is everybody's."""
    met = [criterion.is_met(figures) for criterion in rung.criteria]
    return rung.rank == 0 or (all(met) if needs_all else any(met))


def reached(figures: Figures, ladder: Ladder) -> Rung:
    """Return the highest rung that is reached."""
    return max(
        (rung for rung in ladder.rungs if is_reached(figures, rung, needs_all=ladder.needs_all)),
        key=lambda rung: rung.rank,
    )


def decide(held: Held | None, *, now: int, last: int, ladder: Ladder, at: datetime) -> tuple[Turn, int]:
    """Return what happens to an earned tier at an instant, and the rank it leads to.

    ``now`` is the rank that the present window reaches, ``last`` the one of the period that ended last. Only the
    present one raises. A tier falls only when its term is over: then the better of the two decides, so that a review on
    the first day of a year looks at the year that was. Reaching the tier again within the grace ends the grace.
    """
    if held is None:
        return Turn.START, now
    if now > held.rank:
        return Turn.RISE, now
    retained = max(now, last)
    if held.grace_until is not None:
        if retained >= held.rank:
            return Turn.KEEP, held.rank
        return _fall(held, retained, ladder) if held.grace_until <= at else (Turn.STAY, held.rank)
    if held.keep_until is None or held.keep_until > at:
        return Turn.STAY, held.rank
    turn, rank = _fall(held, retained, ladder)
    return (Turn.GRACE, held.rank) if turn == Turn.FALL and ladder.has_grace else (turn, rank)


def _fall(held: Held, retained: int, ladder: Ladder) -> tuple[Turn, int]:
    """Return where a failed review leads: never below a tier that is never lost."""
    if retained >= held.rank or ladder.is_kept_for_ever(held.rank):
        return Turn.KEEP, held.rank
    step = held.rank - 1 if ladder.drop == "ONE" else 0
    floor = max((rung.rank for rung in ladder.rungs if rung.is_never_lost and rung.rank <= held.rank), default=0)
    return Turn.FALL, max(retained, step, floor)


def held_by_decision(earned: int, *, raised_to: int | None, held_down_to: int | None) -> int:
    """Return the rank that counts: what is earned, at least what was given, at most what staff held down to."""
    rank = max(earned, raised_to or 0)
    return rank if held_down_to is None else min(rank, held_down_to)

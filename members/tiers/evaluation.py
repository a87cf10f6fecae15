"""Which tier a figure reaches. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Rung:
    """A tier as arithmetic sees it."""

    id: int
    rank: int
    threshold: int


def reached(qualified: int, rungs: Sequence[Rung]) -> Rung:
    """Return the highest rung whose threshold is met; the lowest needs nothing."""
    return max((rung for rung in rungs if rung.threshold <= max(qualified, 0)), key=lambda rung: rung.rank)


def next_above(rank: int, rungs: Sequence[Rung]) -> Rung | None:
    """Return the rung above a rank, or None at the top."""
    above = [rung for rung in rungs if rung.rank > rank]
    return min(above, key=lambda rung: rung.rank) if above else None

"""Net Promoter Score: promoters (9-10) less detractors (0-6), per hundred answers."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import sqrt

from feedback.scores.score import Score, Z

SCALE = range(11)
_DETRACTORS = range(7)
_PROMOTERS = range(9, 11)


@dataclass(frozen=True)
class Groups:
    """How many of each kind."""

    promoters: int
    passives: int
    detractors: int

    @property
    def base(self) -> int:
        """All who answered."""
        return self.promoters + self.passives + self.detractors


def groups(counts: Mapping[int, int]) -> Groups:
    """Sort answers, counted by value 0-10, into promoters, passives and detractors."""
    if not all(value in SCALE for value in counts):
        raise ValueError("an NPS answer is 0 to 10")
    promoters = sum(counts.get(value, 0) for value in _PROMOTERS)
    detractors = sum(counts.get(value, 0) for value in _DETRACTORS)
    return Groups(promoters, sum(counts.values()) - promoters - detractors, detractors)


def nps(of: Groups) -> Score | None:
    """Return the score, -100 to 100, with the adjusted Wald interval clipped to it; None without answers.

    Adjusted: three answers are added, 3/4 promoters, 3/2 passives, 3/4 detractors (Rocks 2016).
    """
    if of.base == 0:
        return None
    value, standard_error = _mean_and_error(of.promoters, of.detractors, of.base)
    centre, adjusted_error = _mean_and_error(of.promoters + 0.75, of.detractors + 0.75, of.base + 3)
    return Score(
        value=value,
        low=max(-100.0, centre - Z * adjusted_error),
        high=min(100.0, centre + Z * adjusted_error),
        standard_error=standard_error,
        base=of.base,
    )


def _mean_and_error(promoters: float, detractors: float, base: float) -> tuple[float, float]:
    p, d = promoters / base, detractors / base
    variance = max(0.0, p + d - (p - d) ** 2)
    return 100 * (p - d), 100 * sqrt(variance / base)

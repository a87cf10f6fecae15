"""A number that never goes out without its base and its interval."""

from dataclasses import dataclass
from math import sqrt
from statistics import NormalDist

# Below this base a score is noise: the pages say "too few" and show the base alone.
MINIMUM_BASE = 30

# Two-sided 95 %.
Z = NormalDist().inv_cdf(0.975)


@dataclass(frozen=True)
class Score:
    """An estimate, its 95 % interval, its standard error, and the number of answers behind it."""

    value: float
    low: float
    high: float
    standard_error: float
    base: int

    @property
    def is_reportable(self) -> bool:
        """Whether the base is large enough to show the value."""
        return self.base >= MINIMUM_BASE


def has_changed(earlier: Score, later: Score) -> bool | None:
    """Tell whether two scores differ beyond chance (z test, 5 %); None when either base is too small."""
    if not (earlier.is_reportable and later.is_reportable):
        return None
    spread = sqrt(earlier.standard_error**2 + later.standard_error**2)
    if spread == 0:
        return earlier.value != later.value
    return abs(earlier.value - later.value) / spread > Z


def share(counted: int, base: int) -> Score | None:
    """Return ``counted`` of ``base`` in percent with the Wilson interval; None without answers."""
    if not 0 <= counted <= base:
        raise ValueError("the counted must be part of the base")
    if base == 0:
        return None
    centre = (counted + Z**2 / 2) / (base + Z**2)
    reach = Z * sqrt(counted * (base - counted) / base + Z**2 / 4) / (base + Z**2)
    proportion = counted / base
    return Score(
        value=100 * proportion,
        # At 0 and at 100 % the interval ends there exactly; floating point would miss it by a hair.
        low=100 * (centre - reach) if counted else 0.0,
        high=100 * (centre + reach) if counted < base else 100.0,
        standard_error=100 * sqrt(proportion * (1 - proportion) / base),
        base=base,
    )

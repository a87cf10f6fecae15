"""From exact fractions to whole points: once, at the end, and so that the parts add up. Pure."""

import math
from collections.abc import Sequence
from fractions import Fraction

from members.earning.rules import Exact


def exact(value: Exact) -> Exact:
    """Return the value as an integer where it is one."""
    return value.numerator if value.denominator == 1 else value


def ratio(top: Exact, bottom: Exact) -> Exact:
    """Return top / bottom, exact; an integer where it is one. Whole numbers take a short way: fractions are slow."""
    if isinstance(top, int) and isinstance(bottom, int):
        whole, rest = divmod(top, bottom)
        return Fraction(top, bottom) if rest else whole
    return exact(Fraction(top) / bottom)


def round_points(value: Exact, how: str) -> int:
    """Return whole points of a sum that is not negative: 28.5 is 28 (FLOOR), 29 (NEAREST) or 29 (CEILING).

    NEAREST takes a half away from zero.
    """
    if how == "CEILING":
        return math.ceil(value)
    if how == "NEAREST":
        return math.floor(value + Fraction(1, 2))
    return math.floor(value)


def apportion(whole: int, weights: Sequence[Exact]) -> list[int]:
    """Split a whole number in proportion to the weights, by largest remainder; of equal remainders the first.

    The parts add up to the whole; all are 0 where no weight is positive. Weights are not negative.
    """
    total = sum(weights)
    if total <= 0:
        return [0] * len(weights)
    quotas = [Fraction(whole * weight) / total for weight in weights]
    parts = [math.floor(quota) for quota in quotas]
    places = sorted(range(len(weights)), key=lambda place: parts[place] - quotas[place])
    for place in places[: whole - sum(parts)]:
        parts[place] += 1
    return parts

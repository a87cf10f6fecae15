"""Effort (CES 2.0): "made it easy", 1 strongly disagree to 7 strongly agree.

Two figures are in use, the mean and the share of 5 to 7; both are given, and they are never mixed.
"""

from collections.abc import Mapping
from math import sqrt

from feedback.scores.score import Score, Z, share

SCALE = range(1, 8)
_EASY = range(5, 8)


def ces_share(counts: Mapping[int, int]) -> Score | None:
    """Return the share of 5 to 7 in percent with the Wilson interval; None without answers."""
    _check(counts)
    return share(sum(counts.get(value, 0) for value in _EASY), sum(counts.values()))


def ces_mean(counts: Mapping[int, int]) -> Score | None:
    """Return the mean, 1 to 7, with its normal interval clipped to the scale; None without answers."""
    _check(counts)
    base = sum(counts.values())
    if base == 0:
        return None
    mean = sum(value * count for value, count in counts.items()) / base
    error = _standard_error(counts, mean, base)
    return Score(
        value=mean,
        low=max(1.0, mean - Z * error),
        high=min(7.0, mean + Z * error),
        standard_error=error,
        base=base,
    )


def _standard_error(counts: Mapping[int, int], mean: float, base: int) -> float:
    """Return the error of the mean; one answer says nothing about the spread, so it spans the scale."""
    if base == 1:
        return float(len(SCALE))
    squares = sum(count * (value - mean) ** 2 for value, count in counts.items())
    return sqrt(squares / (base - 1) / base)


def _check(counts: Mapping[int, int]) -> None:
    if not all(value in SCALE for value in counts):
        raise ValueError("a CES answer is 1 to 7")

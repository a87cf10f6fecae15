"""Satisfaction (CSAT): the share of 4 and 5 on a scale of 1 to 5, in percent."""

from collections.abc import Mapping

from feedback.scores.score import Score, share

SCALE = range(1, 6)
_SATISFIED = range(4, 6)


def csat(counts: Mapping[int, int]) -> Score | None:
    """Return the share of satisfied answers with the Wilson interval; None without answers."""
    if not all(value in SCALE for value in counts):
        raise ValueError("a CSAT answer is 1 to 5")
    return share(sum(counts.get(value, 0) for value in _SATISFIED), sum(counts.values()))

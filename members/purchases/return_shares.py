"""Which part of a purchase is back, by what its lines earned: arithmetic on the stored breakdown. Pure.

With p the points a line contributed, q its quantity, W the points of rules that pay for the purchase as a whole:
share = (sum of p × returned q / q + W × returned amount / amount) / (sum of p + W) + money back / amount, at most 1.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

_NONE = Fraction(0)


@dataclass
class BoughtLine:
    """A purchase line as far as returns look at it: the amount in minor units, and how much of it is back."""

    pk: int
    amount: int
    quantity: int
    returned: int = 0

    @property
    def back(self) -> Fraction:
        """The part of the line that is back."""
        return Fraction(self.returned, self.quantity)


def share_back(part: Mapping[str, Any], lines: Sequence[BoughtLine], *, money_back: int = 0) -> Fraction:
    """Return how much of what the purchase earned has to be back, from 0 to 1.

    ``part`` holds ``line_points``, ``whole_points``, ``left_out`` and ``sum`` as the breakdown stores them;
    ``money_back`` is what was given back of the price without goods, in minor units.
    """
    amount = sum(line.amount for line in lines)
    by_line, whole = _weights(part, lines)
    total = sum(by_line, whole)
    if total <= 0:
        # Nothing is known to have earned: go by price, and goods that cost nothing by their number.
        by_line, whole = [Fraction(line.amount if amount else line.quantity) for line in lines], _NONE
        total = sum(by_line, whole)
    back = sum((weight * line.back for weight, line in zip(by_line, lines, strict=True)), _NONE)
    back += whole * _share_of_price(lines)
    by_money = Fraction(money_back, amount) if amount else _NONE
    return min(back / total + by_money, Fraction(1)) if total else min(by_money, Fraction(1))


def part_of_status(breakdown: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the part of the breakdown that tells what earned the status points; without one, they follow the main."""
    status = breakdown.get("status")
    return dict(status, sum=status["points"]) if status else breakdown


def given_back(points: int, share: Fraction, before: int) -> int:
    """Return round(points × share) less what was given back before, halves up, not negative."""
    return max((points * share + Fraction(1, 2)).__floor__() - before, 0)


def _weights(part: Mapping[str, Any], lines: Sequence[BoughtLine]) -> tuple[list[Fraction], Fraction]:
    whole = Fraction(part.get("whole_points") or 0)
    told = part.get("line_points")
    if told is not None:
        return [Fraction(points) for points in told], whole
    left_out = set(part.get("left_out") or ())
    amounts = [Fraction(0 if place in left_out else line.amount) for place, line in enumerate(lines)]
    if not whole:
        return amounts, whole
    counted = sum(amounts, _NONE)
    of_lines = max(Fraction(part.get("sum") or 0) - whole, _NONE)
    return [of_lines * amount / counted if counted else _NONE for amount in amounts], whole


def _share_of_price(lines: Sequence[BoughtLine]) -> Fraction:
    """Return the part of the price that is back; of goods that cost nothing, the part of their number."""
    amount = sum(line.amount for line in lines)
    if amount:
        return sum((line.amount * line.back for line in lines), _NONE) / amount
    return Fraction(sum(line.returned for line in lines), sum(line.quantity for line in lines))

"""Points as money: the arithmetic of paying a purchase with points. Pure: no clock, no database.

A block of so many points pays so many minor units. What points may pay is at most a share of the purchase and never
more than the member has; settings that cannot be right pay nothing, so that a till never stops.
"""

from dataclasses import dataclass
from enum import StrEnum

# How an amount is made of points: whole blocks only, or single points with the amount rounded to a minor unit.
BLOCK, DOWN, UP = "BLOCK", "DOWN", "UP"


class Why(StrEnum):
    """Why points pay nothing, or less than was asked."""

    OFF = "off"
    NO_VALUE = "no_value"
    MISCONFIGURED = "misconfigured"
    NO_POINTS = "no_points"
    BALANCE = "balance"
    SHARE = "share"
    PURCHASE = "purchase"
    WHOLE_BLOCKS = "whole_blocks"
    WHOLE_UNITS = "whole_units"
    BELOW_MINIMUM = "below_minimum"


@dataclass(frozen=True)
class Terms:
    """What points pay: ``block`` points are ``amount`` minor units (both 0: the currency has no value).

    ``minimum`` is in points a purchase, ``share`` in percent of the purchase.
    """

    is_on: bool = True
    block: int = 1
    amount: int = 1
    minimum: int = 1
    share: int = 100
    rounding: str = BLOCK

    @property
    def least(self) -> int:
        """The fewest points that can pay: whole blocks that reach the minimum. For terms that can be used."""
        return max(1, -(-self.minimum // self.block)) * self.block

    @property
    def refusal(self) -> Why | None:
        """Why these terms pay nothing at all, or None where they can be used."""
        if not self.is_on:
            return Why.OFF
        if self.block == self.amount == 0:
            return Why.NO_VALUE
        is_sound = self.block > 0 and self.amount > 0 and 1 <= self.share <= 100 and self.minimum >= 0
        return None if is_sound and self.rounding in {BLOCK, DOWN, UP} else Why.MISCONFIGURED


@dataclass(frozen=True)
class Payment:
    """So many points pay so many minor units; ``rest`` stays to be paid with money; the reasons say why not more."""

    points: int
    amount: int
    rest: int
    reasons: tuple[Why, ...] = ()


def payment(terms: Terms, *, total: int, spendable: int, asked: int | None = None) -> Payment:
    """Return what points pay of a purchase of ``total`` minor units; ``asked`` None uses as many as may be.

    Never an error: what cannot be paid is 0 points with its reasons. Points that would pay nothing are left.
    """
    refusal = terms.refusal or (Why.NO_POINTS if spendable <= 0 else None)
    if refusal is not None:
        return Payment(0, 0, total, (refusal,))
    reasons = []
    points = spendable if asked is None else asked
    if points > spendable:
        points = spendable
        reasons.append(Why.BALANCE)
    most = _points_for(terms, max(0, total) * terms.share // 100)
    if points > most:
        points = most
        reasons.append(Why.SHARE if terms.share < 100 else Why.PURCHASE)
    used, amount = _whole(terms, points)
    if used < points:
        reasons.append(Why.WHOLE_BLOCKS if terms.rounding == BLOCK else Why.WHOLE_UNITS)
    if amount <= 0 or used < terms.minimum:
        return Payment(0, 0, total, (*reasons, Why.BELOW_MINIMUM))
    return Payment(used, amount, total - amount, tuple(reasons))


def worth(terms: Terms, points: int) -> int:
    """Return how many minor units a balance of points pays of a large purchase; 0 for terms that do not pay."""
    if terms.refusal is not None:
        return 0
    used, amount = _whole(terms, points)
    return amount if used >= terms.minimum else 0


def part_of(amount: int, *, points: int, whole: int) -> int:
    """Return what some of the ``whole`` points pay of an amount that all of them pay, rounded down to a minor unit."""
    return amount * points // whole


def _points_for(terms: Terms, limit: int) -> int:
    """Return the most points that pay no more than ``limit``, before blocks are made whole."""
    return limit * terms.block // terms.amount


def _whole(terms: Terms, points: int) -> tuple[int, int]:
    """Return the points that are used of ``points``, and what they pay.

    None is taken that pays nothing, unless it is needed to reach the minimum.
    """
    if points <= 0:
        return 0, 0
    if terms.rounding == BLOCK:
        blocks = points // terms.block
        return blocks * terms.block, blocks * terms.amount
    if terms.rounding == DOWN:
        amount = points * terms.amount // terms.block
        needed = -(-amount * terms.block // terms.amount)
    else:
        amount = -(-points * terms.amount // terms.block)
        needed = (amount - 1) * terms.block // terms.amount + 1
    return min(points, max(needed, terms.minimum)), amount

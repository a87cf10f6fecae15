"""Earning arithmetic: from facts and rules to points and the reasons. No database, no clock.

Money is in minor units, multipliers are exact fractions, and the sum over all rules is rounded down once, at the end:
1,999 pence at 1 point per 100 in whole steps is 19; times 1.5 is 28.5; that is 28 points.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from fractions import Fraction
from typing import Any, Protocol


class Sold(Protocol):
    """What a rule looks at in a purchase line; ``amount`` in minor units."""

    @property
    def sku(self) -> str: ...
    @property
    def category(self) -> str: ...
    @property
    def amount(self) -> int: ...


@dataclass(frozen=True, slots=True)
class Rule:
    """An earning rule, ready to be evaluated."""

    id: int
    names: dict[str, str]
    currency: str
    points: int
    per_amount: int
    whole_steps: bool
    minimum_amount: int = 0
    only_categories: frozenset[str] = frozenset()
    excluded_categories: frozenset[str] = frozenset()
    excluded_skus: frozenset[str] = frozenset()
    tier_multiplier: bool = True
    valid_from: datetime | None = None
    valid_until: datetime | None = None

    def is_valid(self, at: datetime) -> bool:
        """Tell whether the rule holds at that instant (the end is exclusive)."""
        return (self.valid_from is None or self.valid_from <= at) and (
            self.valid_until is None or at < self.valid_until
        )

    @property
    def counts_everything(self) -> bool:
        """Tell whether every line earns under this rule."""
        return not (self.only_categories or self.excluded_categories or self.excluded_skus)

    def counts(self, line: Sold) -> bool:
        """Tell whether the line earns under this rule."""
        if self.only_categories and line.category not in self.only_categories:
            return False
        return line.category not in self.excluded_categories and line.sku not in self.excluded_skus


@dataclass(frozen=True, slots=True)
class Line:
    """A purchase line, as far as rules look at it."""

    sku: str
    category: str
    amount: int


@dataclass(frozen=True, slots=True)
class Terms:
    """What the member's tier adds: an exact multiplier and the tier's names."""

    multiplier: int | Fraction = 1
    tier_names: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Outcome:
    """Whole points, and the breakdown that explains them for ever."""

    points: int
    breakdown: dict[str, Any]


def evaluate(
    *, lines: Sequence[Sold], currency: str, purchased_at: datetime, rules: Iterable[Rule], terms: Terms
) -> Outcome:
    """Return what the purchase earns and why."""
    valid = [rule for rule in rules if rule.currency == currency and rule.is_valid(purchased_at)]
    amount = sum([line.amount for line in lines])
    applied, skipped, earning = [], [], []
    total: int | Fraction = 0
    for rule in valid:
        if amount < rule.minimum_amount:
            skipped.append({"rule": rule.id, "names": rule.names, "why": "minimum", "needs": rule.minimum_amount})
            continue
        base = amount if rule.counts_everything else sum([line.amount for line in lines if rule.counts(line)])
        step, worth = _apply(rule, base, terms)
        total += worth
        applied.append(step)
        earning.append(rule)
    points = math.floor(total)
    breakdown = {
        "amount": amount,
        "currency": currency,
        "rules": applied,
        "skipped": skipped,
        "left_out": _left_out(lines, earning),
        "tier": terms.tier_names,
        "sum": str(total),
        "points": points,
    }
    return Outcome(points=points, breakdown=breakdown)


def _left_out(lines: Sequence[Sold], rules: Sequence[Rule]) -> list[int]:
    """Return the places of the lines that earned nothing: a return of theirs takes nothing back."""
    if any(rule.counts_everything for rule in rules):
        return []
    return [place for place, line in enumerate(lines) if not any(rule.counts(line) for rule in rules)]


def _apply(rule: Rule, base: int, terms: Terms) -> tuple[dict[str, Any], int | Fraction]:
    """Return the step for the breakdown and its exact worth; whole numbers stay integers, which are much faster."""
    steps = base // rule.per_amount if rule.whole_steps else Fraction(base, rule.per_amount)
    multiplier = terms.multiplier if rule.tier_multiplier else 1
    worth = steps * rule.points * multiplier
    step = {
        "rule": rule.id,
        "names": rule.names,
        "base": base,
        "gives": rule.points,
        "per": rule.per_amount,
        "whole": rule.whole_steps,
        "steps": str(steps),
        "multiplier": str(multiplier),
        "points": str(worth),
    }
    return step, worth


def points_to_revoke(*, earned: int, original: int, returned: Fraction, revoked_before: int) -> int:
    """Return how many points a return takes: round(earned × cumulative returned / original) − revoked before.

    Amounts in minor units; halves round up. The sum over partial returns is exactly what was earned once all is back.
    """
    if original <= 0:
        return 0
    share = min(Fraction(returned) / original, Fraction(1)) * earned
    return max((share + Fraction(1, 2)).__floor__() - revoked_before, 0)

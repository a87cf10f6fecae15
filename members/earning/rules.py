"""Earning arithmetic: from facts and rules to points and the reasons. No database, no clock.

Money is in minor units, multipliers are exact fractions, and the sum over all rules is rounded down once, at the end:
1,999 pence at 1 point per 100 in whole steps is 19; times 1.5 is 28.5; that is 28 points.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from fractions import Fraction
from typing import Any


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

    def counts(self, line: "Line") -> bool:
        """Tell whether the line earns under this rule."""
        if self.only_categories and line.category not in self.only_categories:
            return False
        return line.category not in self.excluded_categories and line.sku not in self.excluded_skus


@dataclass(frozen=True, slots=True)
class Line:
    """What a rule looks at in a purchase line."""

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
    *, lines: Sequence[Line], currency: str, purchased_at: datetime, rules: Iterable[Rule], terms: Terms
) -> Outcome:
    """Return what the purchase earns and why."""
    valid = [rule for rule in rules if rule.currency == currency and rule.is_valid(purchased_at)]
    amount = sum(line.amount for line in lines)
    applied, skipped = [], []
    total: int | Fraction = 0
    for rule in valid:
        if amount < rule.minimum_amount:
            skipped.append({"rule": rule.id, "names": rule.names, "why": "minimum", "needs": rule.minimum_amount})
            continue
        step, worth = _apply(rule, lines, terms)
        total += worth
        applied.append(step)
    points = math.floor(total)
    left_out = [place for place, line in enumerate(lines) if not any(rule.counts(line) for rule in valid)]
    breakdown = {
        "amount": amount,
        "currency": currency,
        "rules": applied,
        "skipped": skipped,
        "left_out": left_out,
        "tier": terms.tier_names,
        "sum": str(total),
        "points": points,
    }
    return Outcome(points=points, breakdown=breakdown)


def _apply(rule: Rule, lines: Sequence[Line], terms: Terms) -> tuple[dict[str, Any], int | Fraction]:
    """Return the step for the breakdown and its exact worth; whole numbers stay integers, which are much faster."""
    base = sum(line.amount for line in lines if rule.counts(line))
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

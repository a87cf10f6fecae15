"""Earning arithmetic: from facts and rules to points and the reasons. No database, no clock.

The order is always the same: rules that do not apply are left out, the others say what they give, groups decide who
gives together, multipliers multiply, the sum is rounded once, and the whole points are shared out to the rules. Caps
come last (``caps``).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

from members.earning.amounts import Gain, gain_of
from members.earning.matching import Bought, is_mentioned, why_not
from members.earning.rounding import apportion, exact, round_points
from members.earning.rules import USUAL_LOT, Exact, LotTerms, Outcome, Rule, Share, Sold, Terms, Told
from members.earning.stacking import multiply, stack

_UTC = ZoneInfo("UTC")
SPENDABLE, STATUS = "SPENDABLE", "STATUS"


@dataclass(frozen=True, slots=True)
class Beside:
    """What the shop told beside the lines; nothing unless given."""

    store_id: int | None = None
    shipping: int | None = None
    points_paid: int | None = None
    gift_card_paid: int | None = None


@dataclass(frozen=True, slots=True)
class Manner:
    """How the programme reckons: the rounding, its zone, and whether points must be told apart by rule (for caps)."""

    rounding: str = "FLOOR"
    zone: ZoneInfo = _UTC
    tells_rules_apart: bool = False


_NOTHING = Beside()
_USUAL = Manner()


def evaluate(
    *,
    lines: Sequence[Sold],
    currency: str,
    purchased_at: datetime,
    rules: Iterable[Rule],
    terms: Terms,
    told: Told = _NOTHING,
    manner: Manner = _USUAL,
) -> Outcome:
    """Return what the purchase earns, before caps, and why. One that cannot be evaluated is left out."""
    bought = Bought(
        lines=lines,
        currency=currency,
        at=purchased_at,
        local=purchased_at,
        amount=sum([line.amount for line in lines]),
        store_id=told.store_id,
        shipping=told.shipping or 0,
        points_paid=told.points_paid or 0,
        gift_card_paid=told.gift_card_paid or 0,
    )
    rules = list(rules)
    return _short_way(bought, rules, terms, manner) or _long_way(bought, rules, terms, manner)


def nothing(*, lines: Sequence[Sold], currency: str, why: str, days: int | None = None) -> Outcome:
    """Return no points for a purchase that no rule looks at, and the reason, with the days it is about."""
    breakdown: dict[str, Any] = {
        "amount": sum([line.amount for line in lines]),
        "currency": currency,
        "rules": [],
        "skipped": [],
        "left_out": list(range(len(lines))),
        "tier": {},
        "sum": "0",
        "points": 0,
        "refused": why,
    }
    if days is not None:
        breakdown["days"] = days
    return Outcome(points=0, breakdown=breakdown)


def _short_way(bought: Bought, rules: Sequence[Rule], terms: Terms, manner: Manner) -> Outcome | None:
    """Return the same as the long way for plain rules that count the same lines; None where that is not so.

    Most purchases meet one base rate: this is the hot path of every till.
    """
    if manner.tells_rules_apart:
        return None
    lines, amount = bought.lines, bought.amount
    applied, skipped = [], []
    total: Exact = 0
    counting: Rule | None = None
    for rule in rules:
        if not rule.is_plain:
            return None
        if rule.currency != bought.currency or amount < rule.minimum_amount or not rule.is_valid(bought.at):
            why = why_not(rule, bought, terms)
            if why and is_mentioned(rule, why, bought.at):
                skipped.append(why)
            continue
        if counting is not None and not (counting.counts_everything and rule.counts_everything):
            return None
        counting = rule
        base = amount if rule.counts_everything else sum([line.amount for line in lines if rule.counts(line)])
        step, worth = _apply(rule, base, terms)
        total += worth
        applied.append(step)
    points = round_points(total, manner.rounding)
    breakdown = {
        "amount": amount,
        "currency": bought.currency,
        "rules": applied,
        "skipped": skipped,
        "left_out": _left_out(lines, counting),
        "tier": terms.tier_names,
        "sum": str(total),
        "points": points,
    }
    if manner.rounding != "FLOOR":
        breakdown["rounding"] = manner.rounding
    return Outcome(points=points, breakdown=breakdown)


def _left_out(lines: Sequence[Sold], counting: Rule | None) -> list[int]:
    """Return the places of the lines that earned nothing: a return of theirs takes nothing back."""
    if counting is not None and counting.counts_everything:
        return []
    return [place for place, line in enumerate(lines) if counting is None or not counting.counts(line)]


def _apply(rule: Rule, base: int, terms: Terms) -> tuple[dict[str, Any], Exact]:
    """Return the step for the breakdown and its exact worth; whole numbers stay integers, which are much faster."""
    steps = base // rule.per_amount if rule.whole_steps else exact(Fraction(base, rule.per_amount))
    multiplier = terms.multiplier if rule.tier_multiplier else 1
    worth = exact(steps * rule.points * multiplier)
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


def _long_way(bought: Bought, rules: Sequence[Rule], terms: Terms, manner: Manner) -> Outcome:
    bought = bought._replace(local=bought.at.astimezone(manner.zone))
    rules = [rule for rule in rules if rule.kind != "EVENT"]
    reasons = {rule.id: why_not(rule, bought, terms) for rule in rules}
    skipped = [why for rule in rules if (why := reasons[rule.id]) and is_mentioned(rule, why, bought.at)]
    applying = [rule for rule in rules if reasons[rule.id] is None]
    gains = [gain_of(rule, bought, terms) for rule in applying if rule.kind != "MULTIPLIER"]
    gains, beaten = stack(gains)
    gains, outdone = multiply(gains, [rule for rule in applying if rule.kind == "MULTIPLIER"], bought)
    spendable = _Sum(gains, SPENDABLE, bought, manner)
    status = _Sum(gains, STATUS, bought, manner) if any(gain.rule.point_type == STATUS for gain in gains) else None
    breakdown = {
        "amount": bought.amount,
        "currency": bought.currency,
        "rules": _steps(gains),
        "skipped": skipped + beaten + outdone,
        "tier": terms.tier_names,
        **spendable.told(),
        "points": spendable.points,
    }
    if manner.rounding != "FLOOR":
        breakdown["rounding"] = manner.rounding
    if status:
        breakdown["status"] = status.told() | {"points": status.points}
    # Where all points go to a lot of the usual terms, nobody asks which rule gave them unless there are caps.
    apart = manner.tells_rules_apart or any(gain.lot != USUAL_LOT for gain in gains)
    shares = [share for part in (spendable, status) if part and apart for share in part.shares()]
    return Outcome(spendable.points, breakdown, status.points if status else 0, shares)


def _steps(gains: Iterable[Gain]) -> list[dict[str, Any]]:
    """Return the steps of the breakdown; what one multiplier added to several lots is one step."""
    steps: list[dict[str, Any]] = []
    for gain in gains:
        known = steps[-1] if steps else {}
        if known.get("rule") == gain.rule.id:
            for figure in ("of", "points"):
                known[figure] = str(Fraction(known[figure]) + Fraction(gain.step[figure]))
        else:
            steps.append(gain.step)
    return steps


class _Sum:
    """The points of one type: exact by line, rounded once, and shared out to lots and rules."""

    def __init__(self, gains: Iterable[Gain], point_type: str, bought: Bought, manner: Manner) -> None:
        mine = [gain for gain in gains if gain.rule.point_type == point_type]
        self.counted = frozenset().union(*(gain.counted for gain in mine))
        # Rules that found nothing add nothing: left out here, for adding fractions is what takes the time.
        self.gains = [gain for gain in mine if gain.total]
        self.bought = bought
        self.lines = self._lines()
        self.whole = exact(sum(gain.whole for gain in self.gains))
        self.total = exact(sum([gain.total for gain in self.gains]))
        self.points = round_points(self.total, manner.rounding)

    def _lines(self) -> Sequence[Exact]:
        if len(self.gains) == 1:
            return self.gains[0].lines
        return [exact(sum(points)) for points in zip(*(gain.lines for gain in self.gains), strict=True)]

    def told(self) -> dict[str, Any]:
        """Return what the breakdown keeps, so that a return takes back what each line gave."""
        told: dict[str, Any] = {
            "sum": str(self.total),
            "left_out": [place for place in range(len(self.bought.lines)) if place not in self.counted],
        }
        if self.whole:
            told["whole_points"] = str(self.whole)
        if self.whole or not self._follows_amounts():
            told["line_points"] = [str(points) for points in self.lines]
        return told

    def _follows_amounts(self) -> bool:
        """Tell whether the points of the counted lines are in proportion to their amounts."""
        if all(gain.is_usual and gain.counted == self.counted for gain in self.gains):
            return True
        amounts = [line.amount for line in self.bought.lines]
        money, earned = sum([amounts[place] for place in self.counted]), sum(self.lines)
        return all(self.lines[place] * money == earned * amounts[place] for place in self.counted)

    def shares(self) -> list[Share]:
        """Share the whole points out to lots first, then to the rules of each lot: the parts add up exactly."""
        lots: dict[LotTerms, list[Gain]] = {}
        for gain in self.gains:
            lots.setdefault(gain.lot, []).append(gain)
        of_lots = apportion(self.points, [sum(gain.total for gain in members) for members in lots.values()])
        shares = []
        for (lot, members), points in zip(lots.items(), of_lots, strict=True):
            for gain, part in zip(members, apportion(points, [gain.total for gain in members]), strict=True):
                if part:
                    shares.append(Share(gain.rule.id, gain.rule.point_type, lot, part))
        return shares

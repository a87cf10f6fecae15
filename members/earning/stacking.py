"""Which of the rules that apply give points together: add up, the first alone, the best alone. Pure.

Rules without a group add up. In a group the rule of the highest priority says how the group stacks; a rule that gives
nothing never wins. Multipliers chain, and each multiplies exactly the points of the lines it counts.
"""

from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import Any

from members.earning.amounts import Gain
from members.earning.matching import Bought, named
from members.earning.rounding import exact
from members.earning.rules import Exact, LotTerms, Rule

Lost = list[dict[str, Any]]


def _by_priority(rule: Rule) -> tuple[int, int]:
    return (-rule.priority, rule.id)


def stack(gains: Sequence[Gain]) -> tuple[list[Gain], Lost]:
    """Return the gains that count, in their order, and why the others lost."""
    if not any(gain.rule.group for gain in gains):
        return list(gains), []
    lost: Lost = []
    losers: set[int] = set()
    for group in _groups(gains):
        winner = _winner([gain.rule for gain in group], {gain.rule.id: gain.total for gain in group})
        beaten = [gain for gain in group if winner and gain.rule is not winner]
        losers |= {gain.rule.id for gain in beaten}
        lost += [_lost(gain.rule, winner) for gain in beaten if winner]
    return [gain for gain in gains if gain.rule.id not in losers], lost


def _groups(gains: Sequence[Gain]) -> Iterable[list[Gain]]:
    """Return the groups, each by priority; points of different types stack apart."""
    grouped = [gain for gain in gains if gain.rule.group]
    grouped.sort(key=lambda gain: (_group(gain), _by_priority(gain.rule)))
    return [list(group) for _key, group in groupby(grouped, key=_group)]


def _group(gain: Gain) -> tuple[str, str]:
    return gain.rule.point_type, gain.rule.group


def _winner(rules: Sequence[Rule], worth: dict[int, Exact]) -> Rule | None:
    """Return the rule that wins alone, of rules sorted by priority; None where all add up or none gives anything."""
    giving = [rule for rule in rules if worth[rule.id] > 0]
    if not giving or rules[0].group_mode == "ADD":
        return None
    if rules[0].group_mode == "BEST":
        return max(giving, key=lambda rule: worth[rule.id])
    return giving[0]


def _lost(rule: Rule, winner: Rule) -> dict[str, Any]:
    return named(rule, {"why": "stacking", "winner": winner.names})


def multiply(gains: list[Gain], multipliers: Sequence[Rule], bought: Bought) -> tuple[list[Gain], Lost]:
    """Return the gains and what each multiplier adds to them, and why a multiplier lost in its group."""
    lost: Lost = []
    left = sorted(multipliers, key=_by_priority)
    while left:
        first = left[0]
        group = [rule for rule in left if rule is first or _stacks_with(rule, first)]
        left = [rule for rule in left if rule not in group]
        extras = {rule.id: _extras(rule, gains, bought) for rule in group}
        winner = _winner(group, {number: sum(gain.total for gain in extra) for number, extra in extras.items()})
        if winner:
            lost += [_lost(rule, winner) for rule in group if rule is not winner]
            group = [winner]
        for rule in group:
            gains = gains + _extras(rule, gains, bought)
    return gains, lost


def _stacks_with(rule: Rule, first: Rule) -> bool:
    return bool(first.group) and (rule.group, rule.point_type) == (first.group, first.point_type)


def _extras(rule: Rule, gains: Sequence[Gain], bought: Bought) -> list[Gain]:
    """Return what the multiplier adds, one gain for each lot: the points it multiplies keep their terms."""
    counted = frozenset(place for place, line in enumerate(bought.lines) if rule.counts(line))
    mine = [gain for gain in gains if gain.rule.point_type == rule.point_type]
    return [
        extra
        for lot in dict.fromkeys(gain.lot for gain in mine)
        if (extra := _extra(rule, [gain for gain in mine if gain.lot == lot], lot, counted)).total
    ]


def _extra(rule: Rule, gains: Sequence[Gain], lot: LotTerms, counted: frozenset[int]) -> Gain:
    more = rule.multiplier - 1
    sums = [exact(sum(points)) for points in zip(*(gain.lines for gain in gains), strict=True)]
    lines = [points if place in counted else 0 for place, points in enumerate(sums)]
    whole = exact(sum(gain.whole for gain in gains)) if rule.counts_everything else 0
    of = exact(sum(lines) + whole)
    worth = exact(of * more)
    step = {
        "rule": rule.id,
        "names": rule.names,
        "kind": rule.kind,
        "of": str(of),
        "factor": str(rule.multiplier),
        "points": str(worth),
    }
    if rule.point_type != "SPENDABLE":
        step["type"] = rule.point_type
    return Gain(rule, lot, [exact(points * more) for points in lines], exact(whole * more), frozenset(), worth, step)

"""What a rule gives before stacking: the money it looks at, and the exact points of each line. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from members.earning.matching import Bought
from members.earning.rounding import exact, ratio
from members.earning.rules import Exact, LotTerms, Rule, Sold, Terms


@dataclass(frozen=True, slots=True)
class Gain:
    """What one rule gives: exact points of each line, of the purchase as a whole, and of all of it (``total``)."""

    rule: Rule
    lot: LotTerms
    lines: Sequence[Exact]
    whole: Exact
    counted: frozenset[int]
    total: Exact
    step: dict[str, Any]

    @property
    def is_usual(self) -> bool:
        """Tell whether each counted line gives in proportion to its amount, whatever the figures."""
        return self.rule.kind == "AMOUNT" and "notes" not in self.step


@dataclass(frozen=True, slots=True)
class _Base:
    """The money a rule looks at, by line and beside the lines, and what was done to it."""

    lines: Sequence[Exact]
    shipping: Exact
    notes: list[str]

    @property
    def total(self) -> Exact:
        return exact(sum(self.lines) + self.shipping)


def gain_of(rule: Rule, bought: Bought, terms: Terms) -> Gain:
    """Return what a rule that applies gives: per amount, per item, or once."""
    counted = frozenset(place for place, line in enumerate(bought.lines) if rule.counts(line))
    factor = terms.multiplier if rule.tier_multiplier else 1
    if rule.kind == "ITEM":
        return _per_item(rule, bought, counted, factor)
    if rule.kind == "PURCHASE":
        return _once(rule, bought, counted, factor)
    return _per_amount(rule, bought, counted, factor)


def _per_amount(rule: Rule, bought: Bought, counted: frozenset[int], factor: Exact) -> Gain:
    if rule.whole_purchase and counted:
        counted = frozenset(range(len(bought.lines)))
    base = _base(rule, bought, counted)
    total = base.total
    steps = total // rule.per_amount if rule.whole_steps else ratio(total, rule.per_amount)
    worth = exact(steps * rule.points * factor)
    step = _step(rule, base=_plain(total), gives=rule.points, per=rule.per_amount, whole=rule.whole_steps,
                 steps=str(steps), multiplier=str(factor), points=str(worth))  # fmt: skip
    if base.notes:
        step["notes"] = base.notes
    lines = [ratio(worth * amount, total) if amount else 0 for amount in base.lines]
    shipping = ratio(worth * base.shipping, total) if base.shipping else 0
    return Gain(rule, rule.lot, lines, shipping, counted, worth, step)


def _per_item(rule: Rule, bought: Bought, counted: frozenset[int], factor: Exact) -> Gain:
    lines = [
        exact(rule.points * line.quantity * factor) if place in counted else 0
        for place, line in enumerate(bought.lines)
    ]
    items = sum(bought.lines[place].quantity for place in counted)
    worth = exact(items * rule.points * factor)
    step = _step(rule, items=items, gives=rule.points, multiplier=str(factor), points=str(worth))
    return Gain(rule, rule.lot, lines, 0, counted, worth, step)


def _once(rule: Rule, bought: Bought, counted: frozenset[int], factor: Exact) -> Gain:
    worth = exact(rule.points * factor) if counted else 0
    step = _step(rule, gives=rule.points, multiplier=str(factor), points=str(worth))
    return Gain(rule, rule.lot, [0] * len(bought.lines), worth, counted, worth, step)


def _step(rule: Rule, **figures: Any) -> dict[str, Any]:
    step = {"rule": rule.id, "names": rule.names, **figures}
    if rule.kind != "AMOUNT":
        step["kind"] = rule.kind
    if rule.point_type != "SPENDABLE":
        step["type"] = rule.point_type
    return step


def _plain(value: Exact) -> int | str:
    """Return an amount as it is stored: fractions as text."""
    return value if isinstance(value, int) else str(value)


def _base(rule: Rule, bought: Bought, counted: frozenset[int]) -> _Base:
    """Return the money that counts: of the lines with or without tax and discount, less what was paid otherwise."""
    notes: list[str] = []
    lines = [_of_line(rule, line, notes) if place in counted else 0 for place, line in enumerate(bought.lines)]
    shipping = bought.shipping if rule.whole_purchase and rule.counts_shipping and counted else 0
    if shipping:
        notes.append("shipping")
    share = _share_that_counts(rule, bought, notes)
    if share != 1:
        lines = [exact(amount * share) for amount in lines]
    return _Base(lines, exact(shipping * share), list(dict.fromkeys(notes)))


def _of_line(rule: Rule, line: Sold, notes: list[str]) -> Exact:
    amount = max(line.amount, 0)
    discount = max(line.discount or 0, 0) if rule.before_discount else 0
    if discount:
        notes.append("discount")
    if rule.with_tax or not line.tax:
        return amount + discount
    notes.append("tax")
    if line.tax > amount:
        notes.append("clamped")
        return discount
    # The discount was taken off a price with the same rate of tax.
    return ratio((amount + discount) * (amount - line.tax), amount) if amount else discount


def _share_that_counts(rule: Rule, bought: Bought, notes: list[str]) -> Exact:
    """Return how much of the purchase counts: without what was paid with points or gift card, if the rule says so."""
    paid = 0
    for part, counts, note in (
        (bought.points_paid, rule.counts_points_paid, "points_paid"),
        (bought.gift_card_paid, rule.counts_gift_card, "gift_card"),
    ):
        if part > 0 and not counts:
            paid += part
            notes.append(note)
    due = bought.amount + bought.shipping
    if paid > due:
        notes.append("clamped")
        return 0
    return ratio(due - paid, due) if paid else 1

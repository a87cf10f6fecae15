"""Makers of rules, lines and purchases for the arithmetic: no database."""

from datetime import UTC, datetime
from fractions import Fraction
from zoneinfo import ZoneInfo

from members.earning.reckoning import Beside, Manner, evaluate
from members.earning.rules import Line, Rule, Terms

AT = datetime(2026, 6, 15, 12, 0, tzinfo=UTC)
LONDON = ZoneInfo("Europe/London")


def rule(**fields):
    """Return a rule: one point per pound unless told otherwise."""
    base = {
        "id": 1,
        "names": {"en": "Base"},
        "currency": "GBP",
        "points": 1,
        "per_amount": 100,
        "whole_steps": True,
    }
    return Rule(**base | fields)


def times(factor, **fields):
    """Return a rule that multiplies."""
    return rule(**{"id": 90, "kind": "MULTIPLIER", "multiplier": Fraction(factor), "names": {"en": "Times"}} | fields)


def line(amount, sku="TEA", category="", **fields):
    """Return a line of one article."""
    return Line(sku, category, amount, **fields)


def outcome(*rules, lines=None, amount=1999, at=AT, terms=None, rounding="FLOOR", apart=False, currency="GBP", **told):
    """Return what a purchase of 19.99 earns under the rules; lines, tier and what was told beside may be given."""
    return evaluate(
        lines=[line(amount)] if lines is None else lines,
        currency=currency,
        purchased_at=at,
        rules=rules,
        terms=terms or Terms(),
        told=Beside(**told),
        manner=Manner(rounding, LONDON, tells_rules_apart=apart),
    )


def points(*rules, **fields):
    """Return the points alone."""
    return outcome(*rules, **fields).points


def why(*rules, **fields):
    """Return why each rule that did not apply did not, by its id."""
    return {each["rule"]: each["why"] for each in outcome(*rules, **fields).breakdown["skipped"]}

"""Why this many points: the stored breakdown in the reader's language, in the wording of that day."""

from collections.abc import Callable
from fractions import Fraction
from typing import Any

from django.utils.formats import number_format
from django.utils.translation import get_language, gettext_lazy, ngettext
from django.utils.translation import gettext as _

from members.ledger.models import PointsEntry
from members.lib.money import format_money

Describe = Callable[[dict[str, Any]], str]

_reasons: dict[str, Describe] = {}


def describes(reason: str) -> Callable[[Describe], Describe]:
    """Register the sentence for a reason code that an app gives when it posts points; it gets the entry's data."""

    def register(describe: Describe) -> Describe:
        _reasons[reason] = describe
        return describe

    return register


_MOVEMENTS: dict[str, Any] = {
    PointsEntry.Kind.HOLD: gettext_lazy("These points are set aside until that purchase is final."),
    PointsEntry.Kind.CAPTURE: gettext_lazy("These points were set aside and are used now."),
    PointsEntry.Kind.RELEASE: gettext_lazy("These points are no longer set aside; they keep their end date."),
    PointsEntry.Kind.TRANSFER: gettext_lazy("Points that change their member keep their end date."),
}


def explain(entry: PointsEntry) -> list[str]:
    """Return why the entry has its points: the same sentences for member and staff."""
    if entry.kind == PointsEntry.Kind.EARN:
        return explain_earning(entry.breakdown)
    sentences = [_reason(entry)] if entry.reason else []
    if entry.kind in {PointsEntry.Kind.RETURN, PointsEntry.Kind.TAKE_BACK}:
        sentences += _explain_take_back(entry.breakdown)
    if entry.kind in _MOVEMENTS:
        sentences.append(str(_MOVEMENTS[entry.kind]))
    if entry.kind == PointsEntry.Kind.EXPIRE:
        sentences.append(_("These points reached their end date without being used."))
    return sentences


def _reason(entry: PointsEntry) -> str:
    describe = _reasons.get(entry.reason)
    return describe(entry.breakdown) if describe else entry.reason


def explain_earning(breakdown: dict[str, Any]) -> list[str]:
    """Return the steps from the money to the points: each rule, multiplier, rounding; and what was left out."""
    currency = breakdown.get("currency", "")
    steps = [step for step in breakdown.get("rules", []) if step["base"]]
    sentences = [_rule_sentence(step, currency, breakdown.get("tier", {})) for step in steps]
    sentences += [_skipped_sentence(skipped, currency) for skipped in breakdown.get("skipped", [])]
    if steps and breakdown.get("left_out"):
        count = len(breakdown["left_out"])
        sentences.append(
            ngettext("%(count)d line earns no points.", "%(count)d lines earn no points.", count) % {"count": count}
        )
    exact = Fraction(breakdown.get("sum", "0"))
    if exact.denominator != 1:
        sentences.append(
            _("%(exact)s is rounded down to %(points)s.")
            % {"exact": _decimal(exact), "points": number_format(breakdown["points"])}
        )
    return sentences or [_("No earning rule applied to this purchase.")]


def _rule_sentence(step: dict[str, Any], currency: str, tier: dict[str, str]) -> str:
    figures = {
        "rule": _in_language(step["names"]),
        "base": format_money(step["base"], currency),
        "per": format_money(step["per"], currency),
        "gives": number_format(step["gives"]),
        "points": _decimal(Fraction(step["points"])),
        "multiplier": _decimal(Fraction(step["multiplier"])),
        "steps": _decimal(Fraction(step["steps"])),
        "tier": _in_language(tier),
    }
    if Fraction(step["multiplier"]) != 1:
        return (
            _("%(rule)s: %(base)s at %(gives)s per %(per)s = %(steps)s steps × %(multiplier)s %(tier)s = %(points)s.")
            % figures
        )
    return _("%(rule)s: %(base)s at %(gives)s per %(per)s = %(points)s.") % figures


def _skipped_sentence(skipped: dict[str, Any], currency: str) -> str:
    return _("%(rule)s: applies from %(needs)s.") % {
        "rule": _in_language(skipped["names"]),
        "needs": format_money(skipped["needs"], currency),
    }


def _explain_take_back(breakdown: dict[str, Any]) -> list[str]:
    sentences = []
    if breakdown.get("shortfall"):
        sentences.append(
            _("%(points)s more were due but already used; the balance stops at zero.")
            % {"points": number_format(breakdown["shortfall"])}
        )
    if breakdown.get("debt"):
        sentences.append(
            _("%(points)s of them were already used; the next points you earn pay for them.")
            % {"points": number_format(breakdown["debt"])}
        )
    return sentences


def _in_language(names: dict[str, str]) -> str:
    return names.get(get_language() or "en") or names.get("en", "")


def _decimal(value: Fraction) -> str:
    return str(number_format(format(float(value), ".2f").rstrip("0").rstrip(".")))

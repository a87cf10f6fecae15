"""Why this many points: the stored breakdown in the reader's language, in the wording of that day."""

from collections.abc import Callable
from datetime import datetime
from fractions import Fraction
from typing import Any

from django.utils.dates import WEEKDAYS as FROM_MONDAY
from django.utils.formats import date_format, number_format
from django.utils.translation import get_language, gettext_lazy, ngettext, pgettext
from django.utils.translation import gettext as _

from members.earning.caps import BALANCE
from members.ledger.models import PointsEntry, PointType
from members.ledger.reinstating import BY_MEMBER
from members.lib import periods
from members.lib.money import format_money
from members.programme.models import Programme

# By ISO number: Monday is 1.
WEEKDAYS = {number + 1: name for number, name in FROM_MONDAY.items()}

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
        if entry.point_type == PointType.STATUS:
            return [_("Status points of this purchase.")]
        return explain_earning(entry.breakdown)
    sentences = [_reason(entry)] if entry.reason else []
    if entry.kind in {PointsEntry.Kind.RETURN, PointsEntry.Kind.TAKE_BACK}:
        sentences += _explain_take_back(entry.breakdown)
    if entry.kind in _MOVEMENTS:
        sentences.append(str(_MOVEMENTS[entry.kind]))
    if entry.kind == PointsEntry.Kind.EXPIRE:
        sentences.append(_("These points reached their end date without being used."))
    if entry.kind == PointsEntry.Kind.GRANT and "maximum" in entry.breakdown:
        sentences.append(_maximum_sentence(entry.breakdown["maximum"]))
    return sentences


def _reason(entry: PointsEntry) -> str:
    describe = _reasons.get(entry.reason)
    try:
        return describe(entry.breakdown) if describe else entry.reason
    except KeyError:
        # Somebody's own word that is also a code: it comes without the data of the code.
        return entry.reason


@describes(BY_MEMBER)
def _reinstated_by_member(_data: dict[str, Any]) -> str:
    return _("You brought expired points back.")


def explain_earning(breakdown: dict[str, Any], *, everything: bool = False) -> list[str]:
    """Return the steps from the money to the points: rules, multipliers, rounding, caps; and what did not apply.

    That a rule is for another currency, store or circle of members is told only where nothing was earned, or with
    ``everything``.
    """
    if "refused" in breakdown:
        return [_REFUSED[breakdown["refused"]](breakdown.get("days", 0))]
    currency, tier = breakdown.get("currency", ""), breakdown.get("tier", {})
    steps = [step for step in breakdown.get("rules", []) if _gave(step)]
    everything = everything or not steps
    sentences = [_step_sentence(step, currency, tier) for step in steps]
    sentences += [
        _skipped_sentence(skipped, currency)
        for skipped in breakdown.get("skipped", [])
        if everything or skipped["why"] not in _QUIET
    ]
    if breakdown.get("left_out") and Fraction(breakdown.get("sum", "0")) and not breakdown.get("whole_points"):
        count = len(breakdown["left_out"])
        sentences.append(
            ngettext("%(count)d line earns no points.", "%(count)d lines earn no points.", count) % {"count": count}
        )
    sentences += _end_sentences(breakdown)
    return sentences or [_("No earning rule applied to this purchase.")]


def _company(_days: int) -> str:
    return _("Purchases with a company's tax number earn no points.")


def _too_old(days: int) -> str:
    return ngettext(
        "Purchases reported more than %(days)d day after their day earn no points.",
        "Purchases reported more than %(days)d days after their day earn no points.",
        days,
    ) % {"days": days}


def _before_joining(days: int) -> str:
    if not days:
        return _("Purchases made before the day of joining earn no points.")
    return ngettext(
        "Purchases made more than %(days)d day before the day of joining earn no points.",
        "Purchases made more than %(days)d days before the day of joining earn no points.",
        days,
    ) % {"days": days}


# Why a whole purchase earned nothing, without a look at the rules.
_REFUSED: dict[str, Callable[[int], str]] = {
    "company": _company,
    "too_old": _too_old,
    "before_joining": _before_joining,
}

_QUIET = {"currency", "store", "segment", "configuration"}


def _gave(step: dict[str, Any]) -> bool:
    """Tell whether the rule found something to count: money, articles, or the purchase itself."""
    if "kind" not in step:
        return step["base"] not in {0, "0"}
    return Fraction(step["points"]) > 0


def _step_sentence(step: dict[str, Any], currency: str, tier: dict[str, str]) -> str:
    kind = step.get("kind", "AMOUNT")
    sentence = _SENTENCES[kind](step, currency, tier)
    notes = [str(_NOTES[note]) for note in step.get("notes", []) if note in _NOTES]
    if notes:
        sentence += " " + _("(%(notes)s)") % {"notes": pgettext("between words of a list", ", ").join(notes)}
    if step.get("type") == "STATUS":
        sentence += " " + _("These are status points.")
    return sentence


_NOTES = {
    "tax": gettext_lazy("without tax"),
    "discount": gettext_lazy("before discount"),
    "points_paid": gettext_lazy("without what was paid with points"),
    "gift_card": gettext_lazy("without what was paid by gift card"),
    "shipping": gettext_lazy("with shipping"),
    "clamped": gettext_lazy("more was taken off than there was; it counts as nothing"),
}


def _amount_sentence(step: dict[str, Any], currency: str, tier: dict[str, str]) -> str:
    figures = _figures(step, tier) | {
        "base": format_money(round(Fraction(step["base"])), currency),
        "per": format_money(step["per"], currency),
        "steps": _decimal(Fraction(step["steps"])),
    }
    if Fraction(step["multiplier"]) == 1:
        return _("%(rule)s: %(base)s at %(gives)s per %(per)s = %(points)s.") % figures
    if step["gives"] == 1:
        text = _(
            "%(rule)s: %(base)s at %(gives)s per %(per)s = %(steps)s steps × %(multiplier)s %(tier)s = %(points)s."
        )
    else:
        text = _(
            "%(rule)s: %(base)s at %(gives)s per %(per)s = %(steps)s steps × %(gives)s × %(multiplier)s %(tier)s "
            "= %(points)s."
        )
    return text % figures


def _item_sentence(step: dict[str, Any], _currency: str, tier: dict[str, str]) -> str:
    figures = _figures(step, tier) | {"items": number_format(step["items"])}
    if Fraction(step["multiplier"]) == 1:
        return _("%(rule)s: %(items)s × %(gives)s = %(points)s.") % figures
    return _("%(rule)s: %(items)s × %(gives)s × %(multiplier)s %(tier)s = %(points)s.") % figures


def _purchase_sentence(step: dict[str, Any], _currency: str, tier: dict[str, str]) -> str:
    figures = _figures(step, tier)
    if Fraction(step["multiplier"]) == 1:
        return _("%(rule)s: %(points)s for this purchase.") % figures
    return _("%(rule)s: %(gives)s for this purchase × %(multiplier)s %(tier)s = %(points)s.") % figures


def _multiplier_sentence(step: dict[str, Any], _currency: str, _tier: dict[str, str]) -> str:
    return _("%(rule)s: %(of)s × %(factor)s, that is %(points)s more.") % {
        "rule": _in_language(step["names"]),
        "of": _decimal(Fraction(step["of"])),
        "factor": _decimal(Fraction(step["factor"])),
        "points": _decimal(Fraction(step["points"])),
    }


def _event_sentence(step: dict[str, Any], _currency: str, tier: dict[str, str]) -> str:
    figures = _figures(step, tier)
    if Fraction(step["multiplier"]) == 1:
        return _("%(rule)s: %(points)s.") % figures
    return _("%(rule)s: %(gives)s × %(multiplier)s %(tier)s = %(points)s.") % figures


_SENTENCES: dict[str, Callable[[dict[str, Any], str, dict[str, str]], str]] = {
    "AMOUNT": _amount_sentence,
    "ITEM": _item_sentence,
    "PURCHASE": _purchase_sentence,
    "MULTIPLIER": _multiplier_sentence,
    "EVENT": _event_sentence,
}


def _figures(step: dict[str, Any], tier: dict[str, str]) -> dict[str, str]:
    return {
        "rule": _in_language(step["names"]),
        "gives": number_format(step["gives"]),
        "points": _decimal(Fraction(step["points"])),
        "multiplier": _decimal(Fraction(step["multiplier"])),
        "tier": _in_language(tier),
    }


def _skipped_sentence(skipped: dict[str, Any], currency: str) -> str:
    rule = _in_language(skipped["names"])
    if skipped["why"] == "dates":
        return _dates_sentence(skipped, rule)
    text, figures = _skipped_words(skipped, currency)
    return str(text) % {"rule": rule, **figures}


def _skipped_words(skipped: dict[str, Any], currency: str) -> tuple[Any, dict[str, str]]:
    """Return the sentence for why a rule did not apply, and what it names."""
    needs: Any = skipped.get("needs")
    figures: dict[str, str] = {}
    match skipped["why"]:
        case "minimum":
            figures["needs"] = format_money(needs, currency)
        case "weekday":
            figures["days"] = pgettext("between words of a list", ", ").join(str(WEEKDAYS[day]) for day in needs)
        case "hours":
            figures["start"], figures["end"] = needs
        case "stacking":
            figures["winner"] = _in_language(skipped["winner"])
        case "currency":
            figures["needs"] = needs
    return _SKIPPED[skipped["why"]], figures


_SKIPPED = {
    "minimum": gettext_lazy("%(rule)s: applies from %(needs)s."),
    "weekday": gettext_lazy("%(rule)s: only on %(days)s."),
    "hours": gettext_lazy("%(rule)s: only from %(start)s to %(end)s."),
    "stacking": gettext_lazy("%(rule)s: does not add to “%(winner)s”."),
    "currency": gettext_lazy("%(rule)s: only for purchases in %(needs)s."),
    "store": gettext_lazy("%(rule)s: not in this store."),
    "tier": gettext_lazy("%(rule)s: for other tiers."),
    "segment": gettext_lazy("%(rule)s: for invited members."),
    "configuration": gettext_lazy("%(rule)s: is not set up rightly and was left out."),
}


def _dates_sentence(skipped: dict[str, Any], rule: str) -> str:
    """Tell when the rule begins, or when it ended, by the last day on which it counted."""
    zone, figures = Programme.current().tz, {"rule": rule}
    start, end = (datetime.fromisoformat(skipped[name]) if name in skipped else None for name in ("from", "until"))
    if start:
        figures["start"] = date_format(start.astimezone(zone), "DATE_FORMAT")
    if end:
        figures["end"] = date_format(periods.last_usable_day(end, zone), "DATE_FORMAT")
    if start and end:
        return _("%(rule)s: from %(start)s to %(end)s.") % figures
    if start:
        return _("%(rule)s: from %(start)s.") % figures
    return _("%(rule)s: until %(end)s.") % figures


def _end_sentences(breakdown: dict[str, Any]) -> list[str]:
    """Return what became of the sum: rounding, caps, status points, and when points can be used."""
    rounding = breakdown.get("rounding", "FLOOR")
    capped = breakdown.get("capped", [])
    rounded = breakdown.get("rounded", breakdown.get("points", 0))
    sentences = _rounded_sentence(Fraction(breakdown.get("sum", "0")), rounded, rounding)
    sentences += [_capped_sentence(cut) for cut in capped if "type" not in cut]
    status = breakdown.get("status")
    if status:
        sentences += [_capped_sentence(cut) for cut in capped if "type" in cut]
        sentences.append(_("Status points: %(points)s.") % {"points": number_format(status["points"])})
    return sentences + [_waiting_sentence(waiting) for waiting in breakdown.get("pending", [])]


def _rounded_sentence(exact: Fraction, points: int, rounding: str) -> list[str]:
    if exact.denominator == 1:
        return []
    texts = {
        "FLOOR": _("%(exact)s is rounded down to %(points)s."),
        "NEAREST": _("%(exact)s is rounded to %(points)s."),
        "CEILING": _("%(exact)s is rounded up to %(points)s."),
    }
    return [texts[rounding] % {"exact": _decimal(exact), "points": number_format(points)}]


def _maximum_sentence(cut: dict[str, Any]) -> str:
    return _("Of %(asked)s points %(points)s are given: the balance is kept at the maximum of %(limit)s.") % {
        name: number_format(cut[name]) for name in ("asked", "points", "limit")
    }


def _capped_sentence(cut: dict[str, Any]) -> str:
    if cut.get("period") == BALANCE:
        return _maximum_sentence(cut)
    figures = {
        "cap": _in_language(cut["names"]),
        "asked": number_format(cut["asked"]),
        "points": number_format(cut["points"]),
        "left": number_format(cut["left"]),
        "limit": number_format(cut["limit"]),
    }
    if cut.get("refused"):
        return _("“%(cap)s” leaves only %(left)s of %(limit)s; these %(asked)s are not given.") % figures
    return _("%(asked)s is capped to %(points)s by “%(cap)s” (at most %(limit)s).") % figures


def _waiting_sentence(waiting: dict[str, Any]) -> str:
    figures = {"points": number_format(waiting["points"])}
    if "from" not in waiting:
        return _("%(points)s can be used once your purchase is confirmed.") % figures
    start = datetime.fromisoformat(waiting["from"]).astimezone(Programme.current().tz)
    figures["day"] = date_format(start, "DATE_FORMAT")
    return _("%(points)s can be used from %(day)s.") % figures


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

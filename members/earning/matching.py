"""Whether a rule applies to a purchase or an event, and if not, why not. Pure."""

from collections.abc import Sequence
from datetime import datetime, time, timedelta
from typing import Any, NamedTuple

from members.earning.rules import Rule, Sold, Terms

# A rule that ended long ago, or begins in a year, is no news to anybody: nobody is told that it does not apply.
_NEAR = timedelta(days=31)


class Bought(NamedTuple):
    """A purchase as rules see it: amounts in minor units, ``local`` the same instant in the programme's zone."""

    lines: Sequence[Sold]
    currency: str
    at: datetime
    local: datetime
    amount: int
    store_id: int | None
    shipping: int
    points_paid: int
    gift_card_paid: int


def why_not(rule: Rule, bought: Bought, terms: Terms) -> dict[str, Any] | None:
    """Return why the rule does not apply to the purchase, for the breakdown; None when it does."""
    why = _why_not_this_purchase(rule, bought) or why_not_now(rule, bought.at, bought.local) or why_not_who(rule, terms)
    return named(rule, why) if why else None


def named(rule: Rule, why: dict[str, Any]) -> dict[str, Any]:
    """Return the reason with the rule it is about, in the wording of the day."""
    return {"rule": rule.id, "names": rule.names} | why


def is_mentioned(rule: Rule, why: dict[str, Any], at: datetime) -> bool:
    """Tell whether the reason is worth keeping: not for dates that are far away."""
    if why["why"] != "dates":
        return True
    start, end = rule.valid_from, rule.valid_until
    return bool((start and at < start <= at + _NEAR) or (end and at - _NEAR < end <= at))


def _why_not_this_purchase(rule: Rule, bought: Bought) -> dict[str, Any] | None:
    if rule.currency not in {"", bought.currency}:
        return {"why": "currency", "needs": rule.currency}
    if bought.amount < rule.minimum_amount:
        return {"why": "minimum", "needs": rule.minimum_amount}
    if bought.store_id in rule.excluded_stores or (rule.only_stores and bought.store_id not in rule.only_stores):
        return {"why": "store"}
    if _is_senseless(rule):
        return {"why": "configuration"}
    return None


def _is_senseless(rule: Rule) -> bool:
    """Tell whether the rule cannot be evaluated: what forms refuse may still come from elsewhere."""
    if rule.kind == "AMOUNT":
        return rule.per_amount <= 0 or rule.points < 0
    if rule.kind == "MULTIPLIER":
        return rule.multiplier < 1
    return rule.kind not in {"ITEM", "PURCHASE"} or rule.points < 0


def why_not_now(rule: Rule, at: datetime, local: datetime) -> dict[str, Any] | None:
    """Return why the rule does not apply at the instant; ``local`` is the same in the programme's zone."""
    if not rule.is_valid(at):
        return {"why": "dates"} | {
            name: value.isoformat() for name, value in (("from", rule.valid_from), ("until", rule.valid_until)) if value
        }
    if rule.weekdays and local.isoweekday() not in rule.weekdays:
        return {"why": "weekday", "needs": sorted(rule.weekdays)}
    if not _is_in_hours(local.time(), rule.hours_from, rule.hours_until):
        return {"why": "hours", "needs": [_clock(rule.hours_from), _clock(rule.hours_until)]}
    return None


def _is_in_hours(clock: time, start: time | None, end: time | None) -> bool:
    """Tell whether the wall clock is in the hours, the end exclusive; from 22:00 to 02:00 goes over midnight."""
    start, end = start or time.min, end or time.min
    if end == time.min:
        return clock >= start
    if start < end:
        return start <= clock < end
    return clock >= start or clock < end


def _clock(at: time | None) -> str:
    return at.strftime("%H:%M") if at else "00:00"


def why_not_who(rule: Rule, terms: Terms) -> dict[str, Any] | None:
    """Return why the rule does not apply to this member; None when it does."""
    if (rule.tiers and terms.tier_code not in rule.tiers) or terms.rank < rule.minimum_rank:
        return {"why": "tier"}
    if rule.segments and not rule.segments & terms.segments:
        return {"why": "segment"}
    return None

"""What a reward must and may say, by its kind. Pure: the form of staff and the import ask here."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from rewards.catalogue import kinds

# What the database calls empty; 0 counts as a value.
_EMPTY = (None, "", False)


@dataclass(frozen=True)
class Problem:
    """What is wrong, at which field."""

    field: str
    text: Promise


def problems_of(reward: Mapping[str, Any]) -> list[Problem]:
    """Return what is wrong with the fields of a reward, by their names; fields that are missing count as empty.

    The kind must be a known one.
    """
    kind = kinds.kind_of(reward["kind"])
    return [*_of_the_kind(kind, reward), *_of_the_dates(reward), *_of_the_price(kind, reward)]


def _of_the_kind(kind: kinds.Kind, reward: Mapping[str, Any]) -> Iterator[Problem]:
    for name in sorted(kind.needs):
        if reward.get(name) in _EMPTY:
            yield Problem(name, _("This kind of reward needs it."))
    for name, nothing in kinds.SPECIAL.items():
        if name not in kind.fields and reward.get(name, nothing) not in (nothing, *_EMPTY):
            text = _("A donation has no code.") if (kind.code, name) == ("donation", "needs_code_pool") else None
            yield Problem(name, text or _("This kind of reward does not have it."))
    if "handover" in kind.fields and reward.get("handover", kinds.SHOW) not in kind.handovers:
        yield Problem("handover", _("This kind of reward cannot be handed over like that."))
    if kind.code == "partner" and reward.get("partner") is None:
        yield Problem("partner", _("This kind of reward needs it."))


def _of_the_dates(reward: Mapping[str, Any]) -> Iterator[Problem]:
    if _is_backward(reward, "offered_from", "offered_until"):
        yield Problem("offered_until", _("The offer must end after it begins."))
    if _is_backward(reward, "visible_from", "offered_until"):
        yield Problem("visible_from", _("It would be shown only after the offer has ended."))
    if _is_backward(reward, "starts_at", "ends_at"):
        yield Problem("ends_at", _("The event must end after it begins."))
    if _is_backward(reward, "offered_from", "starts_at") and reward["kind"] == "event":
        yield Problem("offered_from", _("The offer must begin before the event."))
    if reward["kind"] == "event" and _is_after(reward.get("offered_until"), reward.get("starts_at")):
        yield Problem("offered_until", _("The offer must end when the event begins, or before."))


def _is_backward(reward: Mapping[str, Any], first: str, second: str) -> bool:
    start, end = reward.get(first), reward.get(second)
    return bool(start and end and end <= start)


def _is_after(end: Any, start: Any) -> bool:
    return bool(end and start and end > start)


def _of_the_price(kind: kinds.Kind, reward: Mapping[str, Any]) -> Iterator[Problem]:
    for name in ("money_off", "most_off", "minimum_purchase", "money_price"):
        if reward.get(name) == 0:
            yield Problem(name, _("Leave it empty instead of zero."))
    least, off = reward.get("minimum_purchase"), reward.get("money_off")
    if kind.code == "money_off" and least and off and off > least:
        yield Problem("minimum_purchase", _("More would be taken off than the purchase is worth."))

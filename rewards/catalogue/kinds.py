"""Kinds of rewards: what a member gets and what staff do with it. Another app may register more."""

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy


@dataclass(frozen=True)
class Kind:
    """One kind: how it behaves, and its words."""

    code: str
    label: Promise
    # A code is shown to the member and read by staff when the reward is handed over.
    has_code: bool
    waiting: Promise
    done: Promise
    how_to: Promise
    icon: str


_kinds: dict[str, Kind] = {}


def register(kind: Kind) -> Kind:
    """Add a kind; the code must be new."""
    assert kind.code not in _kinds, kind.code
    _kinds[kind.code] = kind
    return kind


def kind_of(code: str) -> Kind:
    """Return the kind; raises KeyError when the code is unknown."""
    return _kinds[code]


def choices() -> list[tuple[str, Promise]]:
    """Return codes and labels for forms."""
    return [(kind.code, kind.label) for kind in _kinds.values()]


COUPON = register(
    Kind(
        code="coupon",
        label=_("coupon"),
        has_code=True,
        waiting=_("Ready to use"),
        done=pgettext_lazy("coupon", "Used"),
        how_to=_("Show this code at the till."),
        icon="ticket",
    )
)
GIFT = register(
    Kind(
        code="gift",
        label=_("gift"),
        has_code=True,
        waiting=_("To be collected"),
        done=_("Handed over"),
        how_to=_("Show this code when you collect your gift."),
        icon="gift",
    )
)
DONATION = register(
    Kind(
        code="donation",
        label=_("donation"),
        has_code=False,
        waiting=_("Donated"),
        done=_("Donated"),
        how_to=_("Thank you: we pass your donation on. There is nothing more to do."),
        icon="heart",
    )
)

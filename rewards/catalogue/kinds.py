"""Kinds of rewards: what a member gets, what staff fill in and what they do with it. Another app may register more."""

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

SHOW, COLLECT, SEND = "SHOW", "COLLECT", "SEND"

# Fields of a reward that mean something for some kinds only, with what they hold where they mean nothing. Price, money
# beside the points, partner, dates, gates and limits belong to every kind.
SPECIAL: dict[str, object] = {
    "money_off": None,
    "percent_off": None,
    "most_off": None,
    "minimum_purchase": None,
    "stacking": "TOGETHER",
    "handover": SHOW,
    "collect_days": 14,
    "usable_after_days": 0,
    "valid_days": None,
    "link": "",
    "starts_at": None,
    "ends_at": None,
    "place": "",
    "needs_code_pool": False,
}

_CODE = frozenset({"usable_after_days", "valid_days", "needs_code_pool"})
_PURCHASE = frozenset({"minimum_purchase", "stacking"})


@dataclass(frozen=True)
class Kind:
    """One kind: how it behaves, which of the SPECIAL fields it needs and which it may have, and its words."""

    code: str
    label: Promise
    # A code is shown to the member and read by staff when the reward is handed over.
    has_code: bool
    waiting: Promise
    done: Promise
    how_to: Promise
    icon: str
    needs: frozenset[str] = frozenset()
    allows: frozenset[str] = frozenset()
    handovers: tuple[str, ...] = (SHOW,)
    # Whoever comes too late may wait for a place that becomes free.
    has_waiting_list: bool = False
    # It stands on the member's own pages for good.
    is_badge: bool = False

    @property
    def fields(self) -> frozenset[str]:
        """The SPECIAL fields that a reward of this kind has."""
        return self.needs | self.allows


_kinds: dict[str, Kind] = {}


def register(kind: Kind) -> Kind:
    """Add a kind; the code must be new, and the fields must be SPECIAL ones."""
    assert kind.code not in _kinds, kind.code
    assert kind.fields <= SPECIAL.keys(), kind.fields - SPECIAL.keys()
    _kinds[kind.code] = kind
    return kind


def kind_of(code: str) -> Kind:
    """Return the kind; raises KeyError when the code is unknown."""
    return _kinds[code]


def all_kinds() -> list[Kind]:
    """Return the kinds in the order of their registration."""
    return list(_kinds.values())


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
        allows=_CODE | _PURCHASE,
    )
)
MONEY_OFF = register(
    Kind(
        code="money_off",
        label=_("money off"),
        has_code=True,
        waiting=_("Ready to use"),
        done=pgettext_lazy("coupon", "Used"),
        how_to=_("Show this code at the till, or enter it online: the amount is taken off."),
        icon="ticket",
        needs=frozenset({"money_off"}),
        allows=_CODE | _PURCHASE,
    )
)
PERCENT_OFF = register(
    Kind(
        code="percent_off",
        label=_("percent off"),
        has_code=True,
        waiting=_("Ready to use"),
        done=pgettext_lazy("coupon", "Used"),
        how_to=_("Show this code at the till, or enter it online: the percentage is taken off."),
        icon="ticket",
        needs=frozenset({"percent_off"}),
        allows=_CODE | _PURCHASE | {"most_off"},
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
        allows=_CODE | {"handover", "collect_days"},
        handovers=(SHOW, COLLECT, SEND),
    )
)
SHIPPING = register(
    Kind(
        code="shipping",
        label=_("free delivery"),
        has_code=True,
        waiting=_("Ready to use"),
        done=pgettext_lazy("coupon", "Used"),
        how_to=_("Enter this code when you order: we pay for the delivery."),
        icon="truck",
        allows=_CODE | _PURCHASE | {"most_off"},
    )
)
GIFT_CARD = register(
    Kind(
        code="gift_card",
        label=_("gift card"),
        has_code=True,
        waiting=_("Ready to use"),
        done=pgettext_lazy("gift card", "Used up"),
        how_to=_("Pay with this code, at the till or online."),
        icon="card",
        needs=frozenset({"money_off"}),
        allows=_CODE,
    )
)
EVENT = register(
    Kind(
        code="event",
        label=_("event"),
        has_code=True,
        waiting=_("Your seat is booked"),
        done=pgettext_lazy("event", "Attended"),
        how_to=_("Show this code at the entrance."),
        icon="calendar",
        needs=frozenset({"starts_at"}),
        allows=frozenset({"ends_at", "place", "link", "needs_code_pool"}),
        has_waiting_list=True,
    )
)
ONLINE = register(
    Kind(
        code="online",
        label=_("online activity"),
        has_code=False,
        waiting=_("Open to you"),
        done=_("Open to you"),
        how_to=_("The address is yours: open it as often as you like."),
        icon="globe",
        needs=frozenset({"link"}),
        allows=frozenset({"starts_at", "ends_at"}),
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
        allows=frozenset({"money_off"}),
    )
)
BADGE = register(
    Kind(
        code="badge",
        label=_("badge"),
        has_code=False,
        waiting=pgettext_lazy("badge", "Yours"),
        done=pgettext_lazy("badge", "Yours"),
        how_to=_("The badge stands on your profile."),
        icon="trophy",
        is_badge=True,
    )
)
PARTNER = register(
    Kind(
        code="partner",
        label=_("partner's reward"),
        has_code=True,
        waiting=_("Ready to use"),
        done=pgettext_lazy("coupon", "Used"),
        how_to=_("Show this code at our partner."),
        icon="store",
        allows=_CODE | _PURCHASE | {"money_off", "percent_off", "most_off", "link"},
    )
)

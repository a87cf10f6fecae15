"""Earning rules and what they look at: the words of the earning arithmetic. No database, no clock.

Money is in minor units, multipliers are exact fractions, and the sum over all rules is rounded once, at the end:
1,999 pence at 1 point per 100 in whole steps is 19; times 1.5 is 28.5; that is 28 points.
"""

from collections.abc import Sequence
from dataclasses import MISSING, dataclass, field, fields
from datetime import datetime, time
from fractions import Fraction
from typing import Any, Literal, NamedTuple, Protocol

# Whole numbers stay integers, which are much faster than fractions.
Exact = int | Fraction


class Sold(Protocol):
    """What a rule looks at in a purchase line; money in minor units.

    ``amount`` is with tax and after discount; ``tax`` is contained in it, ``discount`` was taken off it.
    """

    @property
    def sku(self) -> str: ...
    @property
    def category(self) -> str: ...
    @property
    def brand(self) -> str: ...
    @property
    def quantity(self) -> int: ...
    @property
    def amount(self) -> int: ...
    @property
    def tax(self) -> int | None: ...
    @property
    def discount(self) -> int | None: ...


class Told(Protocol):
    """What the shop told of the purchase beside its lines; minor units, None where it told nothing."""

    @property
    def store_id(self) -> int | None: ...
    @property
    def shipping(self) -> int | None: ...
    @property
    def points_paid(self) -> int | None: ...
    @property
    def gift_card_paid(self) -> int | None: ...


class LotTerms(NamedTuple):
    """When points of a rule become usable and when they end: points of equal terms share a lot.

    They wait ``pending_days`` days, or for an event of the kind ``pending_event``. ``expiry`` overrides the
    programme's policy: so many months (0: the same day), or "never".
    """

    pending_days: int = 0
    pending_event: str = ""
    expiry: int | Literal["never"] | None = None


USUAL_LOT = LotTerms()


@dataclass(frozen=True, slots=True)
class Rule:
    """An earning rule, ready to be evaluated.

    ``kind`` is AMOUNT (points per amount), ITEM (points × quantity), PURCHASE (points once), MULTIPLIER (× on what the
    others gave) or EVENT (points once per event in the log). ``currency`` empty is any.
    """

    id: int
    names: dict[str, str]
    currency: str
    points: int
    per_amount: int
    whole_steps: bool
    minimum_amount: int = 0
    only_categories: frozenset[str] = frozenset()
    excluded_categories: frozenset[str] = frozenset()
    excluded_skus: frozenset[str] = frozenset()
    tier_multiplier: bool = True
    valid_from: datetime | None = None
    valid_until: datetime | None = None
    kind: str = "AMOUNT"
    multiplier: Exact = 1
    only_skus: frozenset[str] = frozenset()
    only_brands: frozenset[str] = frozenset()
    excluded_brands: frozenset[str] = frozenset()
    only_stores: frozenset[int] = frozenset()
    excluded_stores: frozenset[int] = frozenset()
    weekdays: frozenset[int] = frozenset()
    hours_from: time | None = None
    hours_until: time | None = None
    tiers: frozenset[str] = frozenset()
    minimum_rank: int = 0
    segments: frozenset[str] = frozenset()
    point_type: str = "SPENDABLE"
    whole_purchase: bool = False
    with_tax: bool = True
    counts_points_paid: bool = True
    counts_gift_card: bool = True
    before_discount: bool = False
    counts_shipping: bool = True
    group: str = ""
    group_mode: str = "ADD"
    priority: int = 0
    lot: LotTerms = USUAL_LOT
    event_kind: str = ""
    made_at: datetime | None = None
    # Whether it only looks at amount, article, category, minimum and dates: most rules do, and take the short way.
    is_plain: bool = field(init=False, default=False)
    counts_everything: bool = field(init=False, default=False)

    def __post_init__(self) -> None:
        plain = all(getattr(self, name) == default for name, default in _PLAIN)
        object.__setattr__(self, "is_plain", plain and self.per_amount > 0 and self.points >= 0)
        object.__setattr__(self, "counts_everything", not any(getattr(self, name) for name in _LINE_CONDITIONS))

    def is_valid(self, at: datetime) -> bool:
        """Tell whether the rule holds at that instant (the end is exclusive)."""
        return (self.valid_from is None or self.valid_from <= at) and (
            self.valid_until is None or at < self.valid_until
        )

    def counts(self, line: Sold) -> bool:
        """Tell whether the line earns under this rule."""
        if self.only_categories and line.category not in self.only_categories:
            return False
        if line.category in self.excluded_categories or line.sku in self.excluded_skus:
            return False
        if self.is_plain:
            return True
        return (
            (not self.only_skus or line.sku in self.only_skus)
            and (not self.only_brands or line.brand in self.only_brands)
            and line.brand not in self.excluded_brands
        )


_LINE_CONDITIONS = (
    "only_categories", "excluded_categories", "only_skus", "excluded_skus", "only_brands", "excluded_brands",
)  # fmt: skip
_SHORT_WAY = {"minimum_amount", "only_categories", "excluded_categories", "excluded_skus", "tier_multiplier",
              "valid_from", "valid_until", "priority", "made_at"}  # fmt: skip
_PLAIN = [(f.name, f.default) for f in fields(Rule) if f.init and f.default is not MISSING and f.name not in _SHORT_WAY]


@dataclass(frozen=True, slots=True)
class Line:
    """A purchase line, as far as rules look at it."""

    sku: str
    category: str
    amount: int
    quantity: int = 1
    brand: str = ""
    tax: int | None = None
    discount: int | None = None


@dataclass(frozen=True, slots=True)
class Terms:
    """What the member brings: the tier held then (an exact multiplier, its names, code and rank) and the segments.

    ``expiry`` is how many months points earned in that tier last, None where the programme decides.
    """

    multiplier: Exact = 1
    tier_names: dict[str, str] = field(default_factory=dict)
    tier_code: str = ""
    rank: int = 0
    segments: frozenset[str] = frozenset()
    expiry: int | None = None


class Share(NamedTuple):
    """Whole points that one rule gave, and the terms of the lot they go to."""

    rule_id: int
    point_type: str
    lot: LotTerms
    points: int


class Outcome(NamedTuple):
    """Whole points before caps, who gave them, and the breakdown that explains them for ever.

    ``shares`` is empty where all of them go to one lot of the usual terms and no cap looks at them.
    """

    points: int
    breakdown: dict[str, Any]
    status_points: int = 0
    shares: Sequence[Share] = ()


def points_to_revoke(*, earned: int, original: int, returned: Fraction, revoked_before: int) -> int:
    """Return how many points a return takes: round(earned × cumulative returned / original) − revoked before.

    Amounts in minor units; halves round up. The sum over partial returns is exactly what was earned once all is back.
    """
    if original <= 0:
        return 0
    share = min(Fraction(returned) / original, Fraction(1)) * earned
    return max((share + Fraction(1, 2)).__floor__() - revoked_before, 0)

"""May this member have this reward now, and if not, why? Pure: facts in, reasons out."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


class Why(StrEnum):
    """What stands in the way; the values are for machines and never change."""

    MEMBER_CLOSED = "member_closed"
    NOT_OFFERED = "not_offered"
    NOT_YET = "not_yet"
    OVER = "over"
    PRICE_CHANGED = "price_changed"
    TIER = "tier"
    SEGMENT = "segment"
    LIMIT_REACHED = "limit_reached"
    SOLD_OUT = "sold_out"
    NO_CODES = "no_codes"
    STORE = "store"
    POINTS_MISSING = "points_missing"
    OWN_POINTS_MISSING = "own_points_missing"
    ACCOUNT_UNDER_REVIEW = "account_under_review"


@dataclass(frozen=True)
class Reason:
    """One reason with its figures, e.g. ``points_missing`` with ``{"missing": 200, ...}``."""

    why: Why
    figures: dict[str, int | str | datetime] = field(default_factory=dict)


@dataclass(frozen=True)
class Limit:
    """At most ``times`` a member in ``period``, of which ``taken`` are used up."""

    period: str
    times: int
    taken: int = 0


@dataclass(frozen=True)
class Facts:
    """All that decides, at one instant. ``on_hand`` is None where nothing is counted."""

    now: datetime
    price: int
    spendable: int
    is_member_active: bool = True
    is_switched_on: bool = True
    offered_from: datetime | None = None
    offered_until: datetime | None = None
    price_seen: int | None = None
    tier_rank: int = 0
    needed_rank: int = 0
    needed_tier: str = ""
    limits: tuple[Limit, ...] = ()
    is_in_segment: bool = True
    on_hand: int | None = None
    has_code: bool = True
    # Points wait for money: only the member's own (of ``spendable``) can be set aside. None: all are the own.
    needs_hold: bool = False
    own_points: int | None = None
    is_store_allowed: bool = True


def reasons_against(facts: Facts) -> list[Reason]:
    """Return every reason why not, the ones nobody can change first; empty when the reward can be had."""
    found = [*_offer(facts), *_member(facts), *_supply(facts)]
    return [*found, *_points(facts)]


def missing_points(*, needed: int, spendable: int) -> Reason:
    """Return the reason "so many points missing"."""
    figures: dict[str, int | str | datetime] = {
        "needed": needed,
        "spendable": spendable,
        "missing": needed - spendable,
    }
    return Reason(Why.POINTS_MISSING, figures)


def _points(facts: Facts) -> list[Reason]:
    if facts.spendable < facts.price:
        return [missing_points(needed=facts.price, spendable=facts.spendable)]
    own = facts.spendable if facts.own_points is None else facts.own_points
    if facts.needs_hold and own < facts.price:
        figures = missing_points(needed=facts.price, spendable=own).figures
        return [Reason(Why.OWN_POINTS_MISSING, figures)]
    return []


def _offer(facts: Facts) -> list[Reason]:
    found = []
    if not facts.is_switched_on:
        found.append(Reason(Why.NOT_OFFERED))
    if facts.offered_from is not None and facts.now < facts.offered_from:
        found.append(Reason(Why.NOT_YET, {"from": facts.offered_from}))
    if facts.offered_until is not None and facts.now >= facts.offered_until:
        found.append(Reason(Why.OVER, {"until": facts.offered_until}))
    if facts.price_seen is not None and facts.price_seen != facts.price:
        found.append(Reason(Why.PRICE_CHANGED, {"seen": facts.price_seen, "price": facts.price}))
    return found


def _member(facts: Facts) -> list[Reason]:
    found = []
    if not facts.is_member_active:
        found.append(Reason(Why.MEMBER_CLOSED))
    if facts.tier_rank < facts.needed_rank:
        found.append(Reason(Why.TIER, {"tier": facts.needed_tier}))
    if not facts.is_in_segment:
        found.append(Reason(Why.SEGMENT))
    reached = (limit for limit in facts.limits if limit.taken >= limit.times)
    found += [Reason(Why.LIMIT_REACHED, {"limit": limit.times, "period": limit.period}) for limit in reached]
    return found


def _supply(facts: Facts) -> list[Reason]:
    found = []
    if facts.on_hand is not None and facts.on_hand <= 0:
        found.append(Reason(Why.SOLD_OUT))
    if not facts.is_store_allowed:
        found.append(Reason(Why.STORE))
    if not facts.has_code:
        found.append(Reason(Why.NO_CODES))
    return found

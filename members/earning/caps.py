"""Caps and budgets: at most so many points, of a member or of everybody, in a purchase or a period. Pure.

Caps look at whole points, after the rounding. A cap clips what its rules gave to what is left, or refuses all of it.
Refusing caps look first, at what was wished; of the clipping ones the strictest comes first.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from members.earning.rounding import apportion
from members.earning.rules import Outcome, Share
from members.ledger.award_rows import CounterKey, CounterUse
from members.ledger.maximum import maximum_key

PURCHASE = "PURCHASE"
# The maximum balance is a cap whose counter is the member's account.
BALANCE = "BALANCE"
# A cap for ever has one period, which began before everything.
_EVER = date(1970, 1, 1)


@dataclass(frozen=True, slots=True)
class Cap:
    """At most ``limit`` points of a type in a ``period``: PURCHASE, DAY, WEEK (ISO), MONTH, YEAR or EVER.

    Of each member, or with ``of_everybody`` of all together; over all rules, or those in ``rule_ids``.
    """

    id: int
    names: dict[str, str]
    limit: int
    period: str
    of_everybody: bool = False
    rule_ids: frozenset[int] = frozenset()
    refuses: bool = False
    point_type: str = "SPENDABLE"
    valid_from: datetime | None = None
    valid_until: datetime | None = None

    def is_valid(self, at: datetime) -> bool:
        """Tell whether the cap holds at that instant (the end is exclusive)."""
        return (self.valid_from is None or self.valid_from <= at) and (
            self.valid_until is None or at < self.valid_until
        )

    def covers(self, share: Share) -> bool:
        """Tell whether points of this share count under the cap."""
        return share.point_type == self.point_type and (not self.rule_ids or share.rule_id in self.rule_ids)

    def key(self, member_id: int, at: datetime, zone: ZoneInfo) -> CounterKey | None:
        """Return the counter for a purchase of the member at that instant; a cap of one purchase needs none."""
        if self.period == PURCHASE:
            return None
        day = period_start(self.period, at.astimezone(zone).date())
        return CounterKey(f"cap:{self.id}", 0 if self.of_everybody else member_id, day.isoformat())


def period_start(period: str, day: date) -> date:
    """Return the first day of the period that holds the local day; weeks are ISO weeks and begin on Monday."""
    if period == "WEEK":
        return day - timedelta(days=day.weekday())
    if period == "MONTH":
        return day.replace(day=1)
    if period == "YEAR":
        return day.replace(month=1, day=1)
    return _EVER if period == "EVER" else day


@dataclass(frozen=True, slots=True)
class Limit:
    """A cap as it touches one purchase: its counter, if it has one."""

    cap: Cap
    key: CounterKey | None

    def left(self, used: Mapping[CounterKey, int]) -> int:
        """Return how many points the cap still gives."""
        return max(self.cap.limit - (used.get(self.key, 0) if self.key else 0), 0)


def limits_of(
    caps: Iterable[Cap], shares: Sequence[Share], *, member_id: int, at: datetime, zone: ZoneInfo
) -> list[Limit]:
    """Return the caps that may touch the shares, each with its counter."""
    return [
        Limit(cap, cap.key(member_id, at, zone))
        for cap in caps
        if cap.is_valid(at) and any(cap.covers(share) for share in shares)
    ]


def limit_of_balance(maximum: int | None, member_id: int) -> list[Limit]:
    """Return the most points a member may hold as a limit on points to spend; nothing where there is none."""
    return [] if maximum is None else [Limit(Cap(0, {}, maximum, BALANCE), maximum_key(member_id))]


@dataclass(frozen=True, slots=True)
class Capped:
    """What the caps left, what they cut and why, and what counts against them now."""

    shares: list[Share]
    cuts: list[dict[str, Any]]
    uses: list[CounterUse]

    def points(self, point_type: str) -> int:
        """Return the points of one type that are left."""
        return sum(share.points for share in self.shares if share.point_type == point_type)


def apply_limits(shares: Sequence[Share], limits: Sequence[Limit], used: Mapping[CounterKey, int]) -> Capped:
    """Return what the caps leave of the shares; ``used`` says what each counter holds."""
    left = list(shares)
    cuts = []
    for limit in sorted(limits, key=lambda limit: (not limit.cap.refuses, limit.left(used), limit.cap.id)):
        room = limit.left(used)
        asked = _covered(limit.cap, left)
        if asked > room:
            left = _cut(left, limit.cap, 0 if limit.cap.refuses else room)
            cuts.append(_told(limit.cap, asked=asked, room=room))
    uses = [
        CounterUse(limit.key, points)
        for limit in limits
        if limit.key and limit.cap.period != BALANCE and (points := _covered(limit.cap, left)) > 0
    ]
    return Capped([share for share in left if share.points], cuts, uses)


def _covered(cap: Cap, shares: Iterable[Share]) -> int:
    return sum(share.points for share in shares if cap.covers(share))


def _cut(shares: list[Share], cap: Cap, keep: int) -> list[Share]:
    """Return the shares with those under the cap cut to ``keep`` points together, in proportion."""
    parts = iter(apportion(keep, [share.points for share in shares if cap.covers(share)]))
    return [share._replace(points=next(parts)) if cap.covers(share) else share for share in shares]


def _told(cap: Cap, *, asked: int, room: int) -> dict[str, Any]:
    told: dict[str, Any] = {
        "cap": cap.id,
        "names": cap.names,
        "limit": cap.limit,
        "period": cap.period,
        "asked": asked,
        "left": room,
        "points": 0 if cap.refuses else room,
    }
    if cap.refuses:
        told["refused"] = True
    if cap.of_everybody:
        told["of_everybody"] = True
    if cap.point_type != "SPENDABLE":
        told["type"] = cap.point_type
    return told


def capped_outcome(
    outcome: Outcome, limits: Sequence[Limit], used: Mapping[CounterKey, int]
) -> tuple[Outcome, list[CounterUse]]:
    """Return what the caps leave of the outcome, the reason in its breakdown, and what counts against the caps."""
    capped = apply_limits(outcome.shares, limits, used)
    points, status = capped.points("SPENDABLE"), capped.points("STATUS")
    breakdown = outcome.breakdown | {"points": points}
    if capped.cuts:
        breakdown |= {"capped": capped.cuts, "rounded": outcome.points}
    if capped.uses:
        breakdown["uses"] = [told_use(use) for use in capped.uses]
    if "status" in breakdown:
        breakdown["status"] = breakdown["status"] | {"points": status}
    return outcome._replace(points=points, status_points=status, shares=capped.shares, breakdown=breakdown), capped.uses


def told_use(use: CounterUse) -> dict[str, Any]:
    """Return what the breakdown keeps of a use, so that a return can give it back to the counter."""
    return {"name": use.key.name, "member_id": use.key.member_id, "period": use.key.period, "points": use.points}

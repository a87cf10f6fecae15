"""From an outcome to an award: its lots, and what caps and budgets leave of it under the lock of their counters."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import msgspec

from members.earning.caps import Cap, Limit, capped_outcome, limit_of_balance, limits_of
from members.earning.rules import LotTerms, Outcome
from members.ledger.award_rows import Award, AwardLot, CounterKey, CounterUse
from members.ledger.lots import new_lot
from members.ledger.policies import Override
from members.lib import periods


class Decided(NamedTuple):
    """An award, and what a cap needs to decide it anew: the outcome before caps and the caps that may touch it."""

    award: Award
    outcome: Outcome
    limits: Sequence[Limit]
    zone: ZoneInfo
    expiry: int | None = None


def decide(
    award: Award,
    outcome: Outcome,
    *,
    caps: Sequence[Cap],
    zone: ZoneInfo,
    expiry: int | None = None,
    maximum: int | None = None,
) -> Decided:
    """Return the award with its points and lots; counters of caps are still to be looked at by ``settle``.

    Caps of one purchase are applied here: they need no counter. ``expiry`` is the months that the member's tier gives
    to points whose rule says nothing, ``maximum`` the most points a member may hold.
    """
    if not caps and maximum is None:
        return Decided(_given(award, outcome, zone, expiry=expiry), outcome, (), zone, expiry)
    limits = limits_of(caps, outcome.shares, member_id=award.member_id, at=award.purchased_at, zone=zone)
    if outcome.points:
        limits += limit_of_balance(maximum, award.member_id)
    decided = Decided(award, outcome, limits, zone, expiry)
    keys = tuple(dict.fromkeys(limit.key for limit in limits if limit.key))
    settled = settle_one(decided, {})
    # What counters hold is not known yet: what would be used is decided under their lock.
    return decided._replace(award=msgspec.structs.replace(settled, uses=(), counters=keys) if keys else settled)


def settle_one(decided: Decided, used: Mapping[CounterKey, int]) -> Award:
    """Return the award as the caps leave it; ``used`` says what each counter holds."""
    if not decided.limits:
        return _given(decided.award, decided.outcome, decided.zone, expiry=decided.expiry)
    outcome, uses = capped_outcome(decided.outcome, decided.limits, used)
    return _given(decided.award, outcome, decided.zone, expiry=decided.expiry, uses=tuple(uses))


def _given(
    award: Award, outcome: Outcome, zone: ZoneInfo, *, expiry: int | None, uses: tuple[CounterUse, ...] = ()
) -> Award:
    """Return the award with the points of the outcome."""
    lots, waiting = lots_of(outcome, award.purchased_at, zone, expiry=expiry)
    breakdown = outcome.breakdown | {"pending": waiting} if waiting else outcome.breakdown
    return msgspec.structs.replace(
        award,
        points=outcome.points,
        status_points=outcome.status_points,
        breakdown=breakdown,
        lots=lots,
        uses=uses,
    )


def settler(decisions: Sequence[Decided]) -> Callable[[Award, Mapping[CounterKey, int]], Award]:
    """Return the function that decides each of these awards under its caps; of two for one document the first."""
    by_document = {(each.award.source, each.award.number): each for each in reversed(decisions)}

    def settle(award: Award, used: Mapping[CounterKey, int]) -> Award:
        return settle_one(by_document[award.source, award.number], used)

    return settle


def lots_of(
    outcome: Outcome, at: datetime, zone: ZoneInfo, *, expiry: int | None = None
) -> tuple[tuple[AwardLot, ...], list[dict[str, Any]]]:
    """Return the lots of the spendable points, soonest usable first, and those that wait for the breakdown.

    A rule's own end goes before the tier's (``expiry``), and that before the programme's.
    """
    if not outcome.shares:
        return ((new_lot(outcome.points, available_from=at, override=expiry),) if outcome.points else ()), []
    points: dict[LotTerms, int] = {}
    for share in outcome.shares:
        if share.point_type == "SPENDABLE":
            points[share.lot] = points.get(share.lot, 0) + share.points
    lots, waiting = [], []
    for terms in sorted(points, key=lambda terms: (bool(terms.pending_event), terms.pending_days)):
        start = usable_from(terms, at, zone)
        override = expiry if terms.expiry is None else terms.expiry
        lots.append(new_lot(points[terms], available_from=start, override=override))
        if start != at:
            waiting.append(_waiting(terms, points[terms], start, override))
    return tuple(lots), waiting


def usable_from(terms: LotTerms, at: datetime, zone: ZoneInfo) -> datetime | None:
    """Return when points of these terms become usable: at once, as a local day begins, or (None) with an event."""
    if terms.pending_event:
        return None
    if not terms.pending_days:
        return at
    return periods.start_of_day(at.astimezone(zone).date() + timedelta(days=terms.pending_days), zone)


def _waiting(terms: LotTerms, points: int, start: datetime | None, override: Override) -> dict[str, Any]:
    if start is not None:
        return {"points": points, "from": start.isoformat()}
    waiting: dict[str, Any] = {"points": points, "event": terms.pending_event}
    return waiting if override is None else waiting | {"expiry": override}

"""Putting rules and members together: one read for the members' terms, none for the rules."""

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from fractions import Fraction
from typing import Any

from django.db import connection

from members.accounts.models import SegmentMembership, Store
from members.earning.caps import Cap
from members.earning.models import EarningCap, EarningRule
from members.earning.reckoning import Manner
from members.earning.rounding import exact
from members.earning.rules import LotTerms, Rule, Terms
from members.lib.prepared import array_of, array_of_texts, fetch_prepared
from members.programme.models import Programme
from members.tiers.models import Tier
from members.tiers.standing import HELD_BY, Held, held_by

# Rules and tiers are read anew when this old: a change in the admin is in force within two seconds everywhere.
_CACHE_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class Compiled:
    """The programme as the award needs it; read from the database once in a while."""

    read_at: float
    rules: list[Rule]
    caps: list[Cap]
    terms_by_tier: dict[int, Terms]
    lowest: Terms
    segments: list[str]
    event_rules: dict[str, list[Rule]]


_cached: Compiled | None = None


def compiled_rules() -> list[Rule]:
    """Return the rules for purchases that are switched on, ready to evaluate; at most two seconds old."""
    return _compiled().rules


def compiled_caps() -> list[Cap]:
    """Return the caps that are switched on; at most two seconds old."""
    return _compiled().caps


def rules_for_event(kind: str) -> list[Rule]:
    """Return the rules that pay for events of the kind; at most two seconds old."""
    return _compiled().event_rules.get(kind, [])


def manner() -> Manner:
    """Return how the programme reckons now."""
    programme = Programme.current()
    apart = bool(_compiled().caps) or programme.maximum_balance is not None
    return Manner(programme.earning_rounding, programme.tz, tells_rules_apart=apart)


def chosen_rules(rule_ids: Iterable[int]) -> list[Rule]:
    """Return the rules with these ids, switched on or not, ready to evaluate: for trying them out."""
    return _compile_all(EarningRule.objects.filter(pk__in=list(rule_ids)).exclude(kind=EarningRule.Kind.EVENT))


def forget_compiled() -> None:
    """Read rules, caps and tiers anew next time."""
    global _cached  # noqa: PLW0603 - one compiled programme a process
    _cached = None


def _compiled() -> Compiled:
    global _cached  # noqa: PLW0603
    if _cached is None or time.monotonic() - _cached.read_at > _CACHE_SECONDS:
        rules = _compile_all(EarningRule.objects.filter(is_active=True))
        tiers = list(Tier.objects.select_related("tier_set"))
        terms = {tier.pk: _terms(tier) for tier in tiers}
        lowest = next((terms[tier.pk] for tier in tiers if tier.tier_set.is_current and tier.rank == 0), Terms())
        caps = EarningCap.objects.filter(is_active=True).order_by("pk").prefetch_related("rules")
        event_rules: dict[str, list[Rule]] = {}
        for rule in rules:
            if rule.kind == EarningRule.Kind.EVENT:
                event_rules.setdefault(rule.event_kind, []).append(rule)
        _cached = Compiled(
            read_at=time.monotonic(),
            rules=[rule for rule in rules if rule.kind != EarningRule.Kind.EVENT],
            caps=[_cap(cap) for cap in caps],
            terms_by_tier=terms,
            lowest=lowest,
            segments=sorted({segment for rule in rules for segment in rule.segments}),
            event_rules=event_rules,
        )
    return _cached


def _compile_all(rows: Iterable[EarningRule]) -> list[Rule]:
    rows = sorted(rows, key=lambda rule: rule.pk)
    codes = {code for rule in rows for code in (*rule.only_stores, *rule.excluded_stores)}
    stores = dict(Store.objects.filter(code__in=codes).values_list("code", "pk")) if codes else {}
    return [_compile(rule, stores) for rule in rows]


# Stands for a store that no longer exists: a rule for that store alone must not become a rule for every store.
_NO_STORE = 0


def _compile(rule: EarningRule, stores: dict[str, int]) -> Rule:
    return Rule(
        id=rule.pk,
        names=rule.names,
        currency=rule.currency,
        points=rule.points,
        per_amount=rule.per_amount,
        whole_steps=rule.steps == EarningRule.Steps.WHOLE,
        minimum_amount=rule.minimum_amount,
        only_categories=frozenset(rule.only_categories),
        excluded_categories=frozenset(rule.excluded_categories),
        excluded_skus=frozenset(rule.excluded_skus),
        tier_multiplier=rule.tier_multiplier,
        valid_from=rule.valid_from,
        valid_until=rule.valid_until,
        kind=rule.kind,
        multiplier=exact(Fraction(rule.multiplier)),
        only_skus=frozenset(rule.only_skus),
        only_brands=frozenset(rule.only_brands),
        excluded_brands=frozenset(rule.excluded_brands),
        only_stores=frozenset(stores.get(code, _NO_STORE) for code in rule.only_stores),
        excluded_stores=frozenset(stores.get(code, _NO_STORE) for code in rule.excluded_stores),
        weekdays=frozenset(rule.weekdays),
        hours_from=rule.hours_from,
        hours_until=rule.hours_until,
        tiers=frozenset(rule.only_tiers),
        minimum_rank=rule.minimum_rank,
        segments=frozenset(rule.only_segments),
        made_at=rule.made_at,
        event_kind=rule.event_kind,
        point_type=rule.point_type,
        group=rule.group,
        group_mode=rule.group_mode,
        priority=rule.priority,
        **_amounts(rule),
    )


def _amounts(rule: EarningRule) -> dict[str, Any]:
    base = EarningRule.Base
    return {
        "whole_purchase": rule.base in {base.PURCHASE, base.PURCHASE_NET},
        "with_tax": rule.base in {base.LINES, base.PURCHASE},
        "counts_points_paid": rule.counts_points_paid,
        "counts_gift_card": rule.counts_gift_card,
        "before_discount": rule.before_discount,
        "counts_shipping": rule.counts_shipping,
        "lot": LotTerms(
            pending_days=rule.pending_days,
            pending_event=rule.pending_event,
            expiry="never" if rule.never_expires else rule.expiry_months,
        ),
    }


def _cap(cap: EarningCap) -> Cap:
    return Cap(
        id=cap.pk,
        names=cap.names,
        limit=cap.limit,
        period=cap.period,
        of_everybody=cap.of_everybody,
        rule_ids=frozenset(rule.pk for rule in cap.rules.all()),
        refuses=cap.manner == EarningCap.Manner.REFUSE,
        point_type=cap.point_type,
        valid_from=cap.valid_from,
        valid_until=cap.valid_until,
    )


def _terms(tier: Tier) -> Terms:
    return Terms(exact(Fraction(tier.multiplier)), tier.names, tier.code, tier.rank, expiry=tier.expiry_months)


def terms_of_tier(tier: Tier) -> Terms:
    """Return the terms of a member who holds the tier: for trying out."""
    return _terms(tier)


def terms_of(moments: Sequence[tuple[int, datetime]]) -> list[Terms]:
    """Return each member's terms at an instant, in the order asked: the tier held then, else the lowest. One read.

    Segments are those the member is in now and was in then; they are read only while a rule asks for one.
    """
    if not moments:
        return []
    compiled = _compiled()
    spans: dict[int, list[Span]] = {}
    instants = [at for _member_id, at in moments]
    member_ids = sorted({member_id for member_id, _at in moments})
    held, inside = _read(member_ids, since=min(instants), until=max(instants), segments=compiled.segments)
    for member_id, tier_id, from_at, until_at in held:
        terms = compiled.terms_by_tier.get(tier_id)
        if terms is None:
            # A tier made since the programme was compiled.
            forget_compiled()
            return terms_of(moments)
        spans.setdefault(member_id, []).append((from_at, until_at, terms))
    found = [_held(spans.get(member_id, ()), at) or compiled.lowest for member_id, at in moments]
    if not inside:
        return found
    return [
        replace(terms, segments=frozenset(name for name, since in inside.get(member_id, ()) if since <= at))
        for terms, (member_id, at) in zip(found, moments, strict=True)
    ]


Span = tuple[datetime | None, datetime | None, Terms]
Inside = dict[int, list[tuple[str, datetime]]]


def _held(spans: Iterable[Span], at: datetime) -> Terms | None:
    for from_at, until_at, terms in spans:
        if (from_at is None or from_at <= at) and (until_at is None or at < until_at):
            return terms
    return None


def _read(
    member_ids: Sequence[int], *, since: datetime, until: datetime, segments: Sequence[str]
) -> tuple[list[Held], Inside]:
    """Return the standings between two instants, and the asked segments that the members are in, with since when."""
    if not segments:
        return held_by(member_ids, since=since, until=until), {}
    if connection.vendor != "postgresql":
        rows = SegmentMembership.objects.filter(member_id__in=member_ids, segment__in=segments)
        held = held_by(member_ids, since=since, until=until)
        return held, _inside(rows.values_list("member_id", "segment", "since"))
    asked = [array_of(member_ids), since.isoformat(), until.isoformat(), array_of_texts(segments)]
    both = fetch_prepared(_HELD_AND_INSIDE, asked)
    return [row[:4] for row in both if row[4] is None], _inside((row[0], row[4], row[2]) for row in both if row[4])


def _inside(rows: Iterable[tuple[int, str, datetime]]) -> Inside:
    inside: Inside = {}
    for member_id, segment, since in rows:
        inside.setdefault(member_id, []).append((segment, since))
    return inside


_HELD_AND_INSIDE = f"""
SELECT h.*, NULL::text FROM ({HELD_BY}) h
UNION ALL
SELECT member_id, NULL, since, NULL, segment FROM members_segmentmembership
WHERE member_id = ANY($1::bigint[]) AND segment = ANY($4::text[])
"""  # noqa: S608 - put together from constants

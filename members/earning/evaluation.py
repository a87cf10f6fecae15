"""Putting rules and members together: one read for the members' terms, none for the rules."""

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction

from members.earning.models import EarningRule
from members.earning.rules import Rule, Terms
from members.tiers.models import Tier
from members.tiers.standing import held_by

# Rules and tiers are read anew when this old: a change in the admin is in force within two seconds everywhere.
_CACHE_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class Compiled:
    """The programme as the award needs it; read from the database once in a while."""

    read_at: float
    rules: list[Rule]
    terms_by_tier: dict[int, Terms]
    lowest: Terms


_cached: Compiled | None = None


def compiled_rules() -> list[Rule]:
    """Return the rules that are switched on, ready to evaluate; at most two seconds old."""
    return _compiled().rules


def forget_compiled() -> None:
    """Read rules and tiers anew next time."""
    global _cached  # noqa: PLW0603 - one compiled programme a process
    _cached = None


def _compiled() -> Compiled:
    global _cached  # noqa: PLW0603
    if _cached is None or time.monotonic() - _cached.read_at > _CACHE_SECONDS:
        rules = [_compile(rule) for rule in EarningRule.objects.filter(is_active=True).order_by("pk")]
        tiers = list(Tier.objects.select_related("tier_set"))
        terms = {tier.pk: _terms(tier) for tier in tiers}
        lowest = next((terms[tier.pk] for tier in tiers if tier.tier_set.is_current and tier.rank == 0), Terms())
        _cached = Compiled(time.monotonic(), rules, terms, lowest)
    return _cached


def _compile(rule: EarningRule) -> Rule:
    return Rule(
        id=rule.pk,
        names={
            "en": rule.name_en,
            "zh-hans": rule.name_zh_hans or rule.name_en,
            "zh-hant": rule.name_zh_hant or rule.name_en,
        },
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
    )


def _terms(tier: Tier) -> Terms:
    multiplier = Fraction(tier.multiplier)
    return Terms(multiplier=int(multiplier) if multiplier.denominator == 1 else multiplier, tier_names=tier.names)


def terms_of(moments: Sequence[tuple[int, datetime]]) -> list[Terms]:
    """Return each member's terms at an instant, in the order asked: the tier held then, else the lowest. One read."""
    if not moments:
        return []
    compiled = _compiled()
    spans: dict[int, list[Span]] = {}
    instants = [at for _member_id, at in moments]
    member_ids = sorted({member_id for member_id, _at in moments})
    for member_id, tier_id, from_at, until_at in held_by(member_ids, since=min(instants), until=max(instants)):
        terms = compiled.terms_by_tier.get(tier_id)
        if terms is None:
            # A tier made since the programme was compiled.
            forget_compiled()
            return terms_of(moments)
        spans.setdefault(member_id, []).append((from_at, until_at, terms))
    return [_held(spans.get(member_id, ()), at) or compiled.lowest for member_id, at in moments]


Span = tuple[datetime | None, datetime | None, Terms]


def _held(spans: Iterable[Span], at: datetime) -> Terms | None:
    for from_at, until_at, terms in spans:
        if (from_at is None or from_at <= at) and (until_at is None or at < until_at):
            return terms
    return None

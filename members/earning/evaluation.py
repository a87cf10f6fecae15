"""Putting rules and members together: one read for the members' terms, none for the rules."""

import time
from collections.abc import Iterable, Mapping
from datetime import datetime
from fractions import Fraction

from members.earning.models import EarningRule
from members.earning.rules import Rule, Terms
from members.tiers.models import Standing, Tier

# Rules are read anew when this old: a change in the admin is in force within two seconds everywhere.
_CACHE_SECONDS = 2.0
_cached: tuple[float, list[Rule], Terms] | None = None


def compiled_rules() -> list[Rule]:
    """Return the rules that are switched on, ready to evaluate; at most two seconds old."""
    return _compiled()[1]


def forget_compiled() -> None:
    """Read rules and tiers anew next time."""
    global _cached  # noqa: PLW0603 - one compiled programme a process
    _cached = None


def _compiled() -> tuple[float, list[Rule], Terms]:
    global _cached  # noqa: PLW0603
    if _cached is None or time.monotonic() - _cached[0] > _CACHE_SECONDS:
        rules = [_compile(rule) for rule in EarningRule.objects.filter(is_active=True).order_by("pk")]
        lowest = Tier.objects.filter(tier_set__is_current=True, rank=0).first()
        _cached = (time.monotonic(), rules, _terms(lowest) if lowest else Terms())
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
    return Terms(multiplier=Fraction(tier.multiplier), tier_names=tier.names)


def terms_of(moments: Iterable[tuple[int, datetime]]) -> Mapping[tuple[int, datetime], Terms]:
    """Return each member's terms at an instant: the tier held then, else the lowest. One read for all."""
    wanted = set(moments)
    spans: dict[int, list[Standing]] = {}
    standings = Standing.objects.filter(member_id__in={member_id for member_id, _at in wanted}).select_related("tier")
    for standing in standings:
        spans.setdefault(standing.member_id, []).append(standing)
    lowest = _compiled()[2]
    return {(member, at): _held(spans.get(member, []), at) or lowest for member, at in wanted}


def _held(standings: list[Standing], at: datetime) -> Terms | None:
    for standing in standings:
        if standing.from_at <= at and (standing.until_at is None or at < standing.until_at):
            return _terms(standing.tier)
    return None

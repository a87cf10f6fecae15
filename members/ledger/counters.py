"""Counters of caps and budgets, outside the award: read as they stand, or locked until a change is written."""

import functools
import operator
from collections.abc import Collection, Sequence

from django.db.models import F, Q, QuerySet

from members.ledger.award_rows import CounterKey, CounterUse
from members.ledger.models import Counter


def read_counters(keys: Collection[CounterKey]) -> dict[CounterKey, int]:
    """Return what the counters hold now, without a lock; one that was never used is missing."""
    return _held(_rows(keys)) if keys else {}


def lock_counters(keys: Collection[CounterKey]) -> dict[CounterKey, int]:
    """Lock the counters in one order, after the account, until the end of the transaction; return what they hold."""
    if not keys:
        return {}
    ordered = sorted(set(keys), key=lambda key: (key.name, key.member_id, key.period))
    missing = [Counter(name=key.name, member_id=key.member_id, period=key.period) for key in ordered]
    Counter.objects.bulk_create(missing, ignore_conflicts=True)
    return _held(_rows(ordered).select_for_update().order_by("name", "member_id", "period"))


def add_uses(uses: Sequence[CounterUse]) -> None:
    """Add to counters that ``lock_counters`` locked."""
    for use in uses:
        _rows([use.key]).update(used=F("used") + use.points)


def _rows(keys: Collection[CounterKey]) -> QuerySet[Counter]:
    each = [Q(name=key.name, member_id=key.member_id, period=key.period) for key in keys]
    return Counter.objects.filter(functools.reduce(operator.or_, each))


def _held(rows: QuerySet[Counter]) -> dict[CounterKey, int]:
    return {CounterKey(row.name, row.member_id, row.period.isoformat()): row.used for row in rows}

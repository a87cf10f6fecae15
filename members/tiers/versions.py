"""Versions of the ladder: a new one is prepared beside the old one and takes its place at one moment."""

import itertools

from django.db.models import Max

from members.events.audit_log import write_audit
from members.lib.transactions import retried
from members.tiers.models import Tier, TierSet


class LadderIncomplete(Exception):
    """A ladder needs a lowest tier at 0, ranks without gaps and rising thresholds."""


@retried
def copy_tier_set(*, tier_set_id: int, actor_id: int, reason: str) -> TierSet:
    """Return a new version with the same tiers, not in force, ready to be changed."""
    original = TierSet.objects.select_for_update().get(pk=tier_set_id)
    newest = TierSet.objects.aggregate(newest=Max("version"))["newest"]
    tiers = list(original.tiers.all())
    copy = TierSet.objects.create(
        version=newest + 1,
        basis=original.basis,
        window_months=original.window_months,
        keep_months=original.keep_months,
    )
    for tier in tiers:
        tier.pk, tier.tier_set = None, copy
        tier._state.adding = True  # noqa: SLF001 - Django's own way to copy a row
    Tier.objects.bulk_create(tiers)
    write_audit(actor_id=actor_id, action="tier_set.copied", target=f"tier set {copy}", reason=reason)
    return copy


@retried
def put_in_force(*, tier_set_id: int, actor_id: int, reason: str) -> TierSet:
    """Make this version the one in force, and no other; members move at the next recalculation.

    Repeating it changes nothing. Raises LadderIncomplete.
    """
    # All versions are locked in one order: two staff who switch at once do so one after the other.
    versions = {row.pk: row for row in TierSet.objects.select_for_update().order_by("pk")}
    chosen = versions[tier_set_id]
    if chosen.is_current:
        return chosen
    if not is_ladder([(tier.rank, tier.threshold) for tier in chosen.tiers.order_by("rank")]):
        raise LadderIncomplete(tier_set_id)
    before = [str(row) for row in versions.values() if row.is_current]
    TierSet.objects.filter(is_current=True).update(is_current=False)
    TierSet.objects.filter(pk=chosen.pk).update(is_current=True)
    write_audit(
        actor_id=actor_id,
        action="tier_set.in_force",
        target=f"tier set {chosen}",
        reason=reason,
        data={"before": before},
    )
    chosen.is_current = True
    return chosen


def is_ladder(rungs: list[tuple[int, int]]) -> bool:
    """Tell whether (rank, threshold) pairs, by rank, begin at (0, 0), leave no rank out and rise."""
    ranks = [rank for rank, _threshold in rungs]
    thresholds = [threshold for _rank, threshold in rungs]
    rising = all(lower < higher for lower, higher in itertools.pairwise(thresholds))
    return bool(rungs) and ranks == list(range(len(rungs))) and thresholds[0] == 0 and rising

"""Versions of the ladder: a new one is prepared beside the old one and takes its place at one moment."""

import itertools
from datetime import datetime

from django.db.models import Max

from members.events.audit_log import write_audit
from members.events.feed import forget_place
from members.lib.clock import database_now
from members.lib.transactions import retried
from members.tiers.models import Tier, TierSet

# The place in the event log of the run over members with something new.
CHANGES = "tier-changes"


class LadderIncomplete(Exception):
    """A ladder needs a lowest tier at 0, ranks without gaps and rising thresholds."""


@retried
def copy_tier_set(*, tier_set_id: int, actor_id: int, reason: str) -> TierSet:
    """Return a new version with the same tiers, not in force, ready to be changed."""
    original = TierSet.objects.select_for_update().get(pk=tier_set_id)
    newest = TierSet.objects.aggregate(newest=Max("version"))["newest"]
    tiers = list(original.tiers.all())
    copy = TierSet.objects.get(pk=tier_set_id)
    copy.pk, copy.version, copy.is_current, copy.planned_at = None, newest + 1, False, None
    copy._state.adding = True  # noqa: SLF001 - Django's own way to copy a row
    copy.save()
    for tier in tiers:
        tier.pk, tier.tier_set = None, copy
        tier._state.adding = True  # noqa: SLF001
    Tier.objects.bulk_create(tiers)
    write_audit(actor_id=actor_id, action="tier_set.copied", target=f"tier set {copy}", reason=reason)
    return copy


@retried
def put_in_force(
    *, tier_set_id: int, actor_id: int | None, reason: str, at: datetime | None = None, now: datetime | None = None
) -> TierSet:
    """Make this version the one in force, and no other: at once, or in the night that follows ``at``.

    Members move at the next recalculation, which then looks at all of them; whoever holds a tier keeps it to its end.
    Repeating it changes nothing. Raises LadderIncomplete.
    """
    # All versions are locked in one order: two staff who switch at once do so one after the other.
    versions = {row.pk: row for row in TierSet.objects.select_for_update().order_by("pk")}
    chosen = versions[tier_set_id]
    if chosen.is_current:
        return chosen
    refuse_incomplete(chosen)
    if at is not None and at > (now or database_now()):
        return _plan(chosen, at, actor_id, reason)
    before = [str(row) for row in versions.values() if row.is_current]
    TierSet.objects.filter(is_current=True).update(is_current=False)
    TierSet.objects.filter(pk=chosen.pk).update(is_current=True, planned_at=None)
    # The next run must look at everybody, not only at those with something new.
    forget_place(CHANGES)
    write_audit(
        actor_id=actor_id,
        action="tier_set.in_force",
        target=f"tier set {chosen}",
        reason=reason,
        data={"before": before},
    )
    chosen.is_current, chosen.planned_at = True, None
    return chosen


def _plan(chosen: TierSet, at: datetime, actor_id: int | None, reason: str) -> TierSet:
    if chosen.planned_at != at:
        TierSet.objects.filter(pk=chosen.pk).update(planned_at=at)
        data = {"at": at.isoformat()}
        target = f"tier set {chosen}"
        write_audit(actor_id=actor_id, action="tier_set.planned", target=target, reason=reason, data=data)
        chosen.planned_at = at
    return chosen


@retried
def cancel_plan(*, tier_set_id: int, actor_id: int, reason: str) -> None:
    """Let a planned version not take effect. Without a plan it changes nothing."""
    chosen = TierSet.objects.select_for_update().get(pk=tier_set_id)
    if chosen.planned_at is None:
        return
    TierSet.objects.filter(pk=chosen.pk).update(planned_at=None)
    target = f"tier set {chosen}"
    write_audit(actor_id=actor_id, action="tier_set.plan_cancelled", target=target, reason=reason)


@retried
def activate_planned(*, at: datetime) -> TierSet | None:
    """Put the version in force whose time came last by ``at``; return it, or None when nothing was planned."""
    due = list(TierSet.objects.filter(planned_at__lte=at).order_by("-planned_at", "-version"))
    if not due:
        return None
    chosen = put_in_force(tier_set_id=due[0].pk, actor_id=None, reason="planned")
    TierSet.objects.filter(pk__in=[row.pk for row in due]).update(planned_at=None)
    return chosen


def refuse_incomplete(tier_set: TierSet) -> None:
    """Raise LadderIncomplete unless the tiers of the set make a ladder."""
    if not is_ladder([(tier.rank, tier.threshold) for tier in tier_set.tiers.order_by("rank")]):
        raise LadderIncomplete(tier_set.pk)


def is_ladder(rungs: list[tuple[int, int]]) -> bool:
    """Tell whether (rank, threshold) pairs, by rank, begin at (0, 0), leave no rank out and rise."""
    ranks = [rank for rank, _threshold in rungs]
    thresholds = [threshold for _rank, threshold in rungs]
    rising = all(lower < higher for lower, higher in itertools.pairwise(thresholds))
    return bool(rungs) and ranks == list(range(len(rungs))) and thresholds[0] == 0 and rising

"""What a merge does to standings: the higher tier stays, for as long as the longer of the two promises."""

from datetime import datetime

from members.accounts.merging import Merge, merge_step
from members.events.log import write_event
from members.tiers.models import Standing


@merge_step(60)
def take_higher_tier(merge: Merge) -> None:
    """Close the loser's standing; the survivor takes its tier when that is higher, and the later end of keeping."""
    both = Standing.objects.filter(member__in=[merge.loser_id, merge.survivor_id], until_at=None)
    held = {standing.member_id: standing for standing in both.select_related("tier")}
    lost, own = held.get(merge.loser_id), held.get(merge.survivor_id)
    if lost is None:
        return
    Standing.objects.filter(pk=lost.pk).update(until_at=merge.at)
    keep_until = _later(lost.keep_until, own.keep_until if own else None)
    if own is not None and own.tier.rank >= lost.tier.rank:
        Standing.objects.filter(pk=own.pk).update(keep_until=keep_until)
        return
    if own is not None:
        Standing.objects.filter(pk=own.pk).update(until_at=merge.at)
    _take(merge, lost, own, keep_until)


def _take(merge: Merge, lost: Standing, own: Standing | None, keep_until: datetime | None) -> None:
    taken = Standing.objects.create(
        member_id=merge.survivor_id,
        tier=lost.tier,
        from_at=merge.at,
        keep_until=keep_until,
        why=Standing.Why.MERGED,
        qualified=lost.qualified,
    )
    if own is not None:
        data = {"standing": taken.pk, "from": own.tier_id, "to": taken.tier_id, "direction": "up"}
        write_event(kind="tier.changed", member_id=merge.survivor_id, data=data, occurred_at=merge.at)


def _later(one: datetime | None, other: datetime | None) -> datetime | None:
    return max((end for end in (one, other) if end is not None), default=None)

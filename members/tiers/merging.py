"""What a merge does to standings: the higher tier stays, for as long as the longer of the two promises."""

from datetime import datetime

from members.accounts.merging import Merge, merge_step
from members.events.log import write_event
from members.tiers.granting import follow_decisions
from members.tiers.models import Standing, Tier, TierGrant


@merge_step(60)
def take_higher_tier(merge: Merge) -> None:
    """Close the loser's standing; the survivor takes what the loser earned where that is higher, and the decisions.

    Of the two earned tiers the higher is kept until the later end; tiers held by decision, such as a paid one, run on.
    """
    both = Standing.objects.filter(member__in=[merge.loser_id, merge.survivor_id], until_at=None)
    held = {standing.member_id: standing for standing in both.select_related("tier", "earned")}
    lost, own = held.get(merge.loser_id), held.get(merge.survivor_id)
    decisions = TierGrant.objects.filter(member_id=merge.loser_id, ended_at=None).update(member_id=merge.survivor_id)
    if lost is None:
        return
    Standing.objects.filter(pk=lost.pk).update(until_at=merge.at)
    _join(merge, lost, own)
    if decisions:
        follow_decisions(member_id=merge.survivor_id, at=merge.at)


def _join(merge: Merge, lost: Standing, own: Standing | None) -> None:
    keep_until = _later(lost.keep_until, own.keep_until if own else None)
    if own is not None and _earned(own).rank >= _earned(lost).rank:
        Standing.objects.filter(pk=own.pk).update(keep_until=keep_until)
        return
    if own is not None:
        Standing.objects.filter(pk=own.pk).update(until_at=merge.at)
    taken = Standing.objects.create(
        member_id=merge.survivor_id,
        tier=_earned(lost),
        from_at=merge.at,
        held_since=lost.held_since,
        keep_until=keep_until,
        why=Standing.Why.MERGED,
        qualified=lost.qualified,
        figures=lost.figures,
    )
    if own is not None and taken.tier.rank > own.tier.rank:
        data = {"standing": taken.pk, "from": own.tier_id, "to": taken.tier_id, "direction": "up"}
        write_event(kind="tier.changed", member_id=merge.survivor_id, data=data, occurred_at=merge.at)


def _earned(standing: Standing) -> Tier:
    return standing.earned or standing.tier


def _later(one: datetime | None, other: datetime | None) -> datetime | None:
    return max((end for end in (one, other) if end is not None), default=None)

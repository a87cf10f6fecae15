"""A tier held by decision until an end: what a paid membership needs of it, and no more."""

from datetime import datetime

from members.accounts.models import Member
from members.events.audit_log import write_audit
from members.events.log import write_event
from members.events.models import Audit
from members.lib.clock import database_now
from members.lib.transactions import retried
from members.tiers.counting import qualified_of
from members.tiers.evaluation import Rung, reached
from members.tiers.models import Standing, Tier
from members.tiers.standing import current_standing, current_tier_set

_GRANTED = "tier.granted"


@retried
def grant_tier(
    *,
    member_id: int,
    tier_id: int,
    until: datetime,
    why: str,
    reason: str,
    key: str,
    actor_id: int | None = None,
    at: datetime | None = None,
) -> Standing:
    """Hold the member at least on this tier until ``until``, once per key; a higher tier stays."""
    Member.objects.select_for_update(no_key=True).get(pk=member_id)
    granted = Audit.objects.filter(action=_GRANTED, data__key=key).first()
    if granted is not None:
        return Standing.objects.get(pk=granted.data["standing"])
    now, tier, held = at or database_now(), Tier.objects.get(pk=tier_id), current_standing(member_id)
    if held is None or tier.rank > held.tier.rank:
        held = _move(member_id, held, tier, now, why=why)
    if held.why == why:
        Standing.objects.filter(pk=held.pk).update(keep_until=until)
    data = {"key": key, "standing": held.pk}
    write_audit(actor_id=actor_id, action=_GRANTED, target=f"member {member_id}", reason=reason, data=data)
    return held


@retried
def end_granted(*, member_id: int, key: str, at: datetime | None = None) -> None:
    """End what was granted under this key; unless a later grant holds, the member falls to what is earned."""
    Member.objects.select_for_update(no_key=True).get(pk=member_id)
    last = Audit.objects.filter(action=_GRANTED, target=f"member {member_id}").order_by("-pk").first()
    held, ladder = current_standing(member_id), current_tier_set()
    if last is None or last.data["key"] != key or ladder is None or held is None or held.pk != last.data["standing"]:
        return
    now = at or database_now()
    rungs = [Rung(tier.pk, tier.rank, tier.threshold) for tier in ladder.tiers.all()]
    earned = reached(qualified_of(member_id, ladder, now), rungs)
    if earned.rank < held.tier.rank:
        _move(member_id, held, Tier.objects.get(pk=earned.id), now, why=Standing.Why.REVIEW)


def _move(member_id: int, held: Standing | None, tier: Tier, at: datetime, *, why: str) -> Standing:
    Standing.objects.filter(member_id=member_id, until_at=None).update(until_at=at)
    made = Standing.objects.create(member_id=member_id, tier=tier, from_at=at, why=why)
    direction = "up" if held is None or tier.rank > held.tier.rank else "down"
    data = {"standing": made.pk, "from": held and held.tier_id, "to": tier.pk, "direction": direction}
    write_event(kind="tier.changed", member_id=member_id, data=data, occurred_at=at)
    return made

"""The gift on reaching a tier: once per member, tier and period, and for each tier that was skipped on the way up."""

from members.events.models import Event
from members.events.readers import reader
from members.ledger import posting
from members.ledger.models import PointsEntry
from members.programme.models import Programme
from members.tiers.models import Tier
from members.tiers.terms import period_of

REASON = "tier_gift"


@reader("tier-gifts", kinds={"tier.changed"})
def give_on_the_way_up(event: Event) -> None:
    """Give what the tiers between the old one and the new one bring; imported past brings nothing."""
    if event.backfilled or event.member_id is None or event.data["direction"] != "up":
        return
    tiers = Tier.objects.select_related("tier_set").in_bulk([event.data["from"], event.data["to"]])
    new, old = tiers[event.data["to"]], tiers[event.data["from"]]
    climbed = list(new.tier_set.tiers.filter(rank__lte=new.rank).order_by("rank"))
    # The tier of the same code is where the member came from, in whichever version.
    start = next((tier.rank for tier in climbed if tier.code == old.code), min(old.rank, new.rank - 1))
    for tier in climbed:
        if tier.rank > start and tier.gift_points:
            give(event.member_id, tier, event)


def give(member_id: int, tier: Tier, event: Event) -> PointsEntry:
    """Give the gift of one tier, once in the period of the change."""
    period = period_of(tier.tier_set, event.occurred_at, Programme.current().tz)
    return posting.grant(
        member_id=member_id,
        points=tier.gift_points,
        key=f"tier-gift:{member_id}:{tier.code}:{period.isoformat()}",
        reason=REASON,
        data={"tier": tier.names, "event": event.pk},
    )

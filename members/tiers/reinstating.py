"""How long expired points can come back, and for how long then: what a tier says instead of the programme."""

from collections.abc import Collection
from datetime import datetime

from members.accounts.access import surviving_ids
from members.ledger.windows import Window, windows_of_circles
from members.programme.models import Programme
from members.tiers.models import Tier
from members.tiers.standing import held_by


@windows_of_circles
def windows_by_tier(member_ids: Collection[int], at: datetime) -> dict[int, Window]:
    """Return the windows of members whose tier at ``at`` says other days; after a merge the survivor's tier counts."""
    chosen = {tier.pk: tier for tier in Tier.objects.all() if _says_other_days(tier)}
    if not chosen:
        return {}
    survivors = surviving_ids(member_ids)
    homes = {member_id: survivors.get(member_id, member_id) for member_id in member_ids}
    held = {row[0]: row[1] for row in held_by(sorted(set(homes.values())), since=at, until=at)}
    return {member_id: window_of(chosen[held[home]]) for member_id, home in homes.items() if held.get(home) in chosen}


def window_of(tier: Tier) -> Window:
    """Return the days in which points of this tier's members can come back, and how long they last then."""
    programme = Programme.current()
    days = programme.reinstate_days if tier.reinstate_days is None else tier.reinstate_days
    return Window(days, tier.reinstated_for_days or programme.reinstated_for_days)


def _says_other_days(tier: Tier) -> bool:
    return tier.reinstate_days is not None or tier.reinstated_for_days is not None

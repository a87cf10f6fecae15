"""How somebody leaves a household: at once, with the own points, whoever wishes it."""

from datetime import datetime

from members.accounts.merging import Merge, merge_step
from members.events.log import write_event
from members.households.joining import NotHead, Role, State, lock_household_of_head
from members.households.models import Household, HouseholdMember
from members.ledger.locking import lock_accounts
from members.lib.clock import database_now
from members.lib.transactions import retried


@retried
def leave_household(*, member_id: int, at: datetime | None = None) -> None:
    """Leave at once: when this returns nobody uses the member's points any more. A repeat changes nothing.

    The one who has been there longest follows a head; the last one ends the household. Writes ``household.left``.
    """
    belonging = HouseholdMember.objects.filter(member_id=member_id, left_at=None).first()
    if belonging is not None:
        household = Household.objects.select_for_update().get(pk=belonging.household_id)
        _part(household, member_id, at or database_now())


@retried
def remove_member(*, head_id: int, member_id: int, at: datetime | None = None) -> None:
    """Let the head remove somebody, who keeps the own points; a repeat changes nothing. Raises NotHead."""
    household = lock_household_of_head(head_id)
    if head_id == member_id:
        raise NotHead(head_id)
    _part(household, member_id, at or database_now())


def _part(household: Household, member_id: int, now: datetime) -> None:
    # Waits for whoever is spending these points at this moment; whoever comes later sees that they are not shared.
    lock_accounts([member_id])
    leaving = household.belongings.filter(member_id=member_id, left_at=None).first()
    if leaving is None:
        return
    HouseholdMember.objects.filter(pk=leaving.pk).update(left_at=now)
    following = household.belongings.filter(left_at=None).order_by("joined_at", "pk").first()
    if following is None:
        household.invites.filter(state=State.OPEN).update(state=State.WITHDRAWN, decided_at=now)
    elif leaving.role == Role.HEAD:
        HouseholdMember.objects.filter(pk=following.pk).update(role=Role.HEAD)
    write_event(kind="household.left", member_id=member_id, data={"household": household.pk}, occurred_at=now)


@merge_step(45)
def leave_before_merge(merge: Merge) -> None:
    """Let the member that ends leave its household."""
    leave_household(member_id=merge.loser_id, at=merge.at)

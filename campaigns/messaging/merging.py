"""What a merge does to messages: nothing more is sent to the member that ended."""

from campaigns.messaging.models import Delivery
from members.accounts.merging import Merge, merge_step

State = Delivery.State


@merge_step(30)
def cancel_planned(merge: Merge) -> None:
    """Cancel what was planned for the loser and is not on its way."""
    planned = Delivery.objects.filter(member_id=merge.loser_id, state__in=[State.PLANNED, State.REFUSED])
    planned.update(state=State.CANCELLED, reason="merged", finished_at=merge.at)

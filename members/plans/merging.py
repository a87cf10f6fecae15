"""What a merge does to paid membership: the survivor carries it on; of two open ones that of the loser is paid back."""

from members.accounts.merging import Merge, merge_step
from members.plans.changing import cancel_now
from members.plans.models import Subscription

State = Subscription.State


@merge_step(58)
def carry_on_subscriptions(merge: Merge) -> None:
    """Move the loser's subscriptions; an open one beside an open one of the survivor ends first, with its refund."""
    running = Subscription.objects.exclude(state=State.ENDED)
    own = running.filter(member_id=merge.survivor_id).exists()
    for lost in running.filter(member_id=merge.loser_id) if own else ():
        cancel_now(
            subscription_id=lost.pk,
            key=f"{merge.key}:plan",
            at=merge.at,
            actor_id=merge.actor_id,
            reason=merge.reason,
        )
    Subscription.objects.filter(member_id=merge.loser_id).update(member_id=merge.survivor_id)

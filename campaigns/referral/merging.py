"""What a merge does to referrals: nobody brought themselves."""

from campaigns.referral.models import Referral
from campaigns.referral.rewarding import undo
from members.accounts.merging import Merge, merge_step


@merge_step(10)
def void_own_referrals(merge: Merge) -> None:
    """Cancel the referral between the two; what it gave is taken back."""
    both = [merge.loser_id, merge.survivor_id]
    between = Referral.objects.select_for_update().filter(advocate__in=both, friend__in=both).order_by("pk")
    for referral in between:
        undo(referral, Referral.Reason.SAME_MEMBER)

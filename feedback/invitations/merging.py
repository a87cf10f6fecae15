"""What a merge does to invitations: the survivor answers them, each occasion once."""

from feedback.invitations.models import Invitation
from members.accounts.merging import Merge, merge_step


@merge_step(40)
def join_invitations(merge: Merge) -> None:
    """Hand the loser's open invitations to the survivor; one to which the survivor was invited too is withdrawn."""
    asked = set(Invitation.objects.filter(member_id=merge.survivor_id).values_list("survey_id", "occasion"))
    waiting = Invitation.objects.filter(member_id=merge.loser_id, answered_at=None, expires_at__gt=merge.at)
    for invitation in waiting.exclude(state=Invitation.State.WITHDRAWN).order_by("pk"):
        if (invitation.survey_id, invitation.occasion) in asked:
            invitation.state = Invitation.State.WITHDRAWN
        else:
            invitation.member_id = merge.survivor_id
        invitation.save(update_fields=["member", "state"])

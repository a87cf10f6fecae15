"""What a merge does to birthdays: one person has one gift a year."""

from campaigns.birthday.models import BirthdayGift
from members.accounts.merging import Merge, merge_step


@merge_step(20)
def join_birthdays(merge: Merge) -> None:
    """Give the survivor the loser's birthdays; of two in one year only one gift is given."""
    own = {(gift.campaign_id, gift.year): gift for gift in BirthdayGift.objects.filter(member_id=merge.survivor_id)}
    for gift in BirthdayGift.objects.filter(member_id=merge.loser_id).order_by("pk"):
        other = own.get((gift.campaign_id, gift.year))
        if other is None:
            BirthdayGift.objects.filter(pk=gift.pk).update(member_id=merge.survivor_id)
            continue
        spare = other if gift.settled_at is not None else gift
        BirthdayGift.objects.filter(pk=spare.pk, settled_at=None).update(settled_at=merge.at)

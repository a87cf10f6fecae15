"""A member types a code that is for many, and has the reward."""

from datetime import datetime

from django.db import transaction

from members.ledger.locking import lock_accounts
from members.lib.transactions import retried
from rewards.codes.shared import find_shared, use_shared
from rewards.redemption.models import Redemption
from rewards.redemption.redeeming import KeyAlreadyUsed, Source, give_reward


@retried
def claim_by_code(*, member_id: int, typed: str, key: str, at: datetime | None = None) -> Redemption:
    """Give the reward of a shared code to the member, once per member and key; a repeat returns the first redemption.

    The use is counted with it or not at all; cancelling later does not give the use back. Raises shared.UnknownCode,
    shared.UsedUp, redeeming.NotAvailable or KeyAlreadyUsed.
    """
    code = find_shared(typed)
    lock_accounts([member_id])
    first = Redemption.objects.filter(member_id=member_id, key=key).first()
    if first is not None:
        if first.reward_id != code.reward_id:
            raise KeyAlreadyUsed(key)
        return first
    # Of its own, so that a code that is used up leaves nothing behind in a caller's transaction either.
    with transaction.atomic():
        given = give_reward(member_id=member_id, reward_id=code.reward_id, key=key, source=Source.CLAIMED, at=at)
        use_shared(code_id=code.pk, member_id=member_id)
    return given

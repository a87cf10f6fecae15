"""What staff may decide about a referral, always with a reason and an audit row."""

from campaigns.referral import rewarding
from campaigns.referral.models import Referral
from members.events.audit_log import write_audit
from members.lib.transactions import retried

State = Referral.State


class NotHeld(Exception):
    """Only a referral that is held can be let through."""


class AlreadyOver(Exception):
    """The referral is cancelled or taken back."""


@retried
def let_through(*, referral_id: int, actor_id: int, reason: str) -> None:
    """Let a held referral go on: it is rewarded when its time comes, whatever held it. Raises NotHeld."""
    referral = Referral.objects.select_for_update().get(pk=referral_id)
    if referral.state != State.BLOCKED:
        raise NotHeld(referral_id)
    referral.state, referral.reason, referral.cleared_by_id = State.PENDING, "", actor_id
    referral.save(update_fields=["state", "reason", "cleared_by"])
    write_audit(actor_id=actor_id, action="referral.let_through", target=f"referral {referral_id}", reason=reason)


@retried
def cancel(*, referral_id: int, actor_id: int, reason: str) -> None:
    """Cancel a referral; points already given are taken back. Raises AlreadyOver."""
    referral = Referral.objects.select_for_update().get(pk=referral_id)
    if referral.state in {State.CANCELLED, State.REVERSED}:
        raise AlreadyOver(referral_id)
    rewarding.undo(referral, Referral.Reason.STAFF)
    write_audit(actor_id=actor_id, action="referral.cancelled", target=f"referral {referral_id}", reason=reason)

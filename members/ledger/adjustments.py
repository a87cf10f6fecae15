"""Corrections by staff: a reason always, a second person above the limit, never one's own account."""

from members.accounts.access import surviving_id
from members.accounts.models import Member
from members.events.audit_log import write_audit
from members.ledger import posting
from members.ledger.models import AdjustmentRequest, PointsEntry
from members.lib.clock import database_now
from members.lib.transactions import retried
from members.programme.models import Programme

State = AdjustmentRequest.State


class OwnAccount(Exception):
    """Nobody corrects their own points."""


class SecondPersonNeeded(Exception):
    """Whoever asked cannot approve."""


class AlreadyDecided(Exception):
    """The request was approved or refused before."""


@retried
def request_adjustment(
    *, member_id: int, points: int, reason: str, actor_id: int, key: str
) -> PointsEntry | AdjustmentRequest:
    """Correct a balance, once per key: at once up to the programme's limit, above it after a second person agrees.

    Raises OwnAccount, posting.NotPositive (for 0) or posting.InsufficientPoints.
    """
    refuse_own_account(member_id, actor_id)
    if points == 0:
        raise posting.NotPositive
    if abs(points) <= Programme.current().adjustment_limit:
        return posting.adjust(member_id=member_id, points=points, key=f"adjust:{key}", reason=reason, actor_id=actor_id)
    fields = {"member_id": member_id, "points": points, "reason": reason, "requested_by_id": actor_id}
    request, _made = AdjustmentRequest.objects.get_or_create(
        key=key, defaults=fields | {"requested_at": database_now()}
    )
    return request


@retried
def approve_adjustment(*, request_id: int, actor_id: int) -> PointsEntry:
    """Post a waiting correction. Raises AlreadyDecided, SecondPersonNeeded, OwnAccount, posting.InsufficientPoints."""
    request = _decide(request_id, actor_id, State.APPROVED)
    return posting.adjust(
        member_id=request.member_id,
        points=request.points,
        key=f"adjust:{request.key}",
        reason=request.reason,
        actor_id=actor_id,
    )


@retried
def refuse_adjustment(*, request_id: int, actor_id: int, reason: str) -> None:
    """Turn a waiting correction down. Raises AlreadyDecided, SecondPersonNeeded or OwnAccount."""
    request = _decide(request_id, actor_id, State.REFUSED)
    write_audit(actor_id=actor_id, action="adjustment.refused", target=f"adjustment {request.pk}", reason=reason)


def _decide(request_id: int, actor_id: int, state: State) -> AdjustmentRequest:
    request = AdjustmentRequest.objects.select_for_update().get(pk=request_id)
    if request.state != State.WAITING:
        raise AlreadyDecided(request_id)
    if request.requested_by_id == actor_id:
        raise SecondPersonNeeded(request_id)
    refuse_own_account(request.member_id, actor_id)
    request.state, request.decided_by_id, request.decided_at = state, actor_id, database_now()
    request.save(update_fields=["state", "decided_by", "decided_at"])
    return request


def refuse_own_account(member_id: int, actor_id: int) -> None:
    """Raise OwnAccount when the member, or the one it was merged into, is whoever acts."""
    if Member.objects.filter(pk__in=[member_id, surviving_id(member_id)], user_id=actor_id).exists():
        raise OwnAccount(member_id)

"""One move of a redemption: a conditional update whose row count decides, so of two that race only one happens."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.db import transaction

from members.events.audit_log import write_audit
from members.events.log import write_event
from members.ledger.adjustments import OwnAccount, refuse_own_account
from rewards.redemption.models import Redemption
from rewards.redemption.refusals import Refusal, Refused
from rewards.redemption.states import State, may_move

Step = Callable[[Redemption], None]
_steps: list[Step] = []


class NotPossible(Exception):
    """A redemption cannot make this move now; ``refused`` says why, for machines and with figures."""

    def __init__(self, *, state: State, wanted: State, why: Refusal = Refusal.STATE, **figures: Any) -> None:
        super().__init__(f"{state} → {wanted}: {why}")
        self.state = state
        self.wanted = wanted
        self.refused = Refused(why, {"state": str(state)} | figures)


class ReasonMissing(Exception):
    """What takes a reward back needs a reason."""


def goes_along(step: Step) -> Step:
    """Register what a layer above changes with each move, in the same transaction.

    It is given the redemption as it is after the move; NotPossible raised by it undoes the move.
    """
    _steps.append(step)
    return step


def read(redemption_id: int) -> Redemption:
    """Return the redemption as it is now; raises Redemption.DoesNotExist."""
    return Redemption.objects.select_related("reward").get(pk=redemption_id)


def move(redemption: Redemption, wanted: State, **changes: Any) -> Redemption:
    """Make the move and return the redemption anew; raises NotPossible, also when somebody else was first."""
    current = State(redemption.state)
    if not may_move(current, wanted):
        why = Refusal.NOT_PAID if current == State.HELD else Refusal.STATE
        raise NotPossible(state=current, wanted=wanted, why=why)
    # Of its own, so that a refusal leaves nothing behind in a caller's transaction either.
    with transaction.atomic():
        moved = Redemption.objects.filter(pk=redemption.pk, state=current).update(state=wanted, **changes)
        now = read(redemption.pk)
        if not moved:
            raise NotPossible(state=State(now.state), wanted=wanted)
        for step in _steps:
            step(now)
    return now


def refuse_own(redemption: Redemption, actor_id: int | None, wanted: State) -> None:
    """Raise NotPossible when staff act on what is theirs as members, or was given to them."""
    if actor_id is None:
        return
    try:
        refuse_own_account(redemption.member_id, actor_id)
        if redemption.holder_id is not None:
            refuse_own_account(redemption.holder_id, actor_id)
    except OwnAccount as own:
        raise NotPossible(state=State(redemption.state), wanted=wanted, why=Refusal.OWN_REDEMPTION) from own


def record(
    kind: str, redemption: Redemption, actor_id: int | None, now: datetime, *, reason: str = "", **figures: int
) -> None:
    """Write the event, which readers act upon, and the row that says who did it and why."""
    data = {"redemption": redemption.pk, **figures}
    write_event(kind=kind, member_id=redemption.member_id, data=data, occurred_at=now)
    write_audit(actor_id=actor_id, action=kind, target=redemption.public_id, reason=reason, data=data)

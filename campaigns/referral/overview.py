"""What a member sees of the friends they brought: dates and states, nothing about the friends themselves."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from campaigns.referral.models import Referral
from members.earning.explanation import describes

State = Referral.State
Reason = Referral.Reason


@dataclass(frozen=True)
class Brought:
    """One friend: when they joined, where the reward stands, the points it brought, and when it is due."""

    claimed_at: datetime
    words: str
    points: int
    due_at: datetime | None
    is_over: bool


def brought_by(member_id: int, *, limit: int = 50) -> list[Brought]:
    """Return the newest friends of a member."""
    referrals = Referral.objects.filter(advocate_id=member_id).order_by("-pk")[:limit]
    return [
        Brought(
            claimed_at=referral.claimed_at,
            words=words_of(referral),
            points=referral.advocate_points if referral.state == State.GRANTED else 0,
            due_at=referral.approve_after if referral.state == State.PENDING else None,
            is_over=referral.state in {State.CANCELLED, State.REVERSED},
        )
        for referral in referrals
    ]


def words_of(referral: Referral) -> str:
    """Return where a referral stands, in one friendly sentence."""
    if referral.state == State.PENDING and referral.purchase_id is not None:
        return _("First purchase made, reward on its way")
    if referral.state == State.BLOCKED and referral.reason == Reason.LIMIT_REACHED:
        return _("Limit reached: no reward for this friend")
    if referral.state in {State.CANCELLED, State.REVERSED}:
        return _("No reward: %(reason)s") % {"reason": referral.get_reason_display()}
    return {
        State.PENDING: _("Joined, first purchase still to come"),
        State.BLOCKED: _("Being checked"),
        State.APPROVED: _("Approved, points are on their way"),
        State.GRANTED: _("Rewarded"),
    }[State(referral.state)]


@describes("referral")
def describe_reward(data: dict[str, Any]) -> str:
    """Return why the points came or went, for the history of both sides."""
    return _("A friend was invited.")

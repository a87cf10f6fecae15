"""What a merge does to points: everything goes to the survivor with its dates, also what comes later."""

from datetime import timedelta

from django.db.models import Q, QuerySet

from members.accounts.access import surviving_id
from members.accounts.merging import Merge, merge_step, weights
from members.events.models import Event
from members.events.readers import reader
from members.jobs.schedule import Turn, scheduled
from members.ledger import posting
from members.ledger.models import PointsAccount, PointsEntry
from members.ledger.transfers import transfer_everything
from members.lib.clock import database_now
from members.lib.transactions import retried

REASON = "merge"
# How a sign-up bonus is recognised: by its reason, or by the event that it answers.
SIGN_UP_BONUS = Q(kind__in=["GRANT", "EARN"]) & (Q(reason="sign-up") | Q(breakdown__event="member.joined"))


def points_to_move(member_id: int) -> int:
    """Return how many points a merge would move, of both types; a debt moves too."""
    accounts = PointsAccount.objects.filter(member_id=member_id).values_list("balance", "debt")
    return sum(balance + 2 * debt for balance, debt in accounts)


weights.append(points_to_move)


def sign_up_bonuses(*member_ids: int) -> QuerySet[PointsEntry]:
    """Return the sign-up bonuses of these members, the first given first."""
    return PointsEntry.objects.filter(SIGN_UP_BONUS, member__in=member_ids, points__gt=0).order_by("occurred_at", "pk")


@merge_step(50)
def move_points(merge: Merge) -> None:
    """Move all points; where both had a sign-up bonus and staff wishes so, the later one is taken back."""
    transfer_everything(
        from_member_id=merge.loser_id, to_member_id=merge.survivor_id, key=merge.key, reason=REASON, at=merge.at
    )
    bonuses = list(sign_up_bonuses(merge.loser_id, merge.survivor_id))
    if merge.take_back_bonus and {bonus.member_id for bonus in bonuses} == {merge.loser_id, merge.survivor_id}:
        posting.take_back(
            member_id=merge.survivor_id,
            points=bonuses[-1].points,
            key=f"{merge.key}:bonus",
            reason="sign-up-twice",
            at=merge.at,
            first_from_entry=bonuses[-1].pk,
        )


@retried
def move_late_points(*, member_id: int, key: str) -> None:
    """Send on what reached the account of a merged member after its end; nothing when there is nothing."""
    survivor_id = surviving_id(member_id)
    if survivor_id != member_id and points_to_move(member_id):
        transfer_everything(
            from_member_id=member_id, to_member_id=survivor_id, key=key, reason=REASON, at=database_now()
        )


@reader(
    "late-points-of-merged",
    kinds={"purchase.recorded", "points.granted", "points.adjusted", "redemption.cancelled", "hold.released"},
)
def send_on(event: Event) -> None:
    """Send on within seconds what was under way while two members were merged, or went back to an old lot."""
    if event.member_id is not None:
        move_late_points(member_id=event.member_id, key=f"merge:{event.member_id}:event:{event.pk}")


@scheduled("late-points-of-merged", every=timedelta(hours=1))
def send_on_all(turn: Turn) -> dict[str, int]:
    """Send on whatever no event told of."""
    late = PointsAccount.objects.filter(member__merged_into__isnull=False).exclude(balance=0)
    owners = sorted(set(late.values_list("member_id", flat=True)))
    for member_id in owners:
        move_late_points(member_id=member_id, key=f"merge:{member_id}:at:{turn.period_start.isoformat()}")
    return {"members": len(owners)}

"""Lost cards: the member gets a new number, the old one is dead for ever, everything else stays."""

from datetime import datetime

from members.accounts.access import MemberNotFound
from members.accounts.enrolment import fresh_numbers
from members.accounts.models import DeadNumber, Member
from members.events.audit_log import write_audit
from members.events.log import write_event
from members.lib import codes
from members.lib.clock import database_now
from members.lib.transactions import retried


@retried
def replace_card(
    *, member_id: int, lost_number: str, actor_id: int | None, reason: str, at: datetime | None = None
) -> Member:
    """Give the member a new number in place of the lost one, once per lost number; points and login stay.

    Writes ``card.replaced`` and an audit row. Raises MemberNotFound for a membership that is not open or for a number
    that is not the member's.
    """
    member = Member.objects.select_for_update(no_key=True).filter(pk=member_id, status=Member.Status.ACTIVE).first()
    if member is None or not codes.is_member_number(lost_number):
        raise MemberNotFound
    if DeadNumber.objects.filter(number=lost_number, member_id=member_id).exists():
        return member
    if member.number != lost_number:
        raise MemberNotFound
    now = at or database_now()
    dead = DeadNumber.objects.create(number=lost_number, member=member, at=now)
    member.number = fresh_numbers(1)[0]
    member.save(update_fields=["number"])
    write_event(kind="card.replaced", member_id=member_id, data={"dead_number": dead.pk}, occurred_at=now)
    write_audit(
        actor_id=actor_id,
        action="card.replaced",
        target=f"member:{member.number}",
        reason=reason,
        data={"member": member_id, "dead_number": dead.pk},
    )
    return member

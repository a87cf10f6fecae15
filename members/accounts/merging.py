"""Two members who are one human being become one member.

Nothing of the past is rewritten: rows keep the id under which they were made, and the survivor's history reads both
(``access.history_ids``). What layers above keep about the two is joined by the steps that they register.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from members.accounts.consent import record_consent
from members.accounts.models import Consent, Identity, Member, MergeRequest, Person, User
from members.events.audit_log import write_audit
from members.events.log import write_event
from members.lib.clock import database_now
from members.lib.transactions import retried
from members.programme.models import Programme

State = MergeRequest.State


class SameMember(Exception):
    """A member is not merged with itself."""


class NotMergeable(Exception):
    """The one that ends was merged before, or the one that stays is not open."""


class OwnMembership(Exception):
    """Nobody merges their own membership."""


class ReasonMissing(Exception):
    """A merge needs a reason."""


class SecondPersonNeeded(Exception):
    """Whoever asked cannot approve."""


class AlreadyDecided(Exception):
    """The request was approved or refused before."""


@dataclass(frozen=True)
class Merge:
    """One merge, as its steps see it; ``key`` names it for ever."""

    loser_id: int
    survivor_id: int
    actor_id: int
    reason: str
    at: datetime
    take_back_bonus: bool

    @property
    def key(self) -> str:
        """The stem of the keys of all that is posted for it: a member ends once."""
        return f"merge:{self.loser_id}"


Step = Callable[[Merge], None]
Weight = Callable[[int], int]

_steps: dict[int, Step] = {}
# What a layer above weighs of a member, in points: above the limit a second person decides.
weights: list[Weight] = []


def merge_step(place: int) -> Callable[[Step], Step]:
    """Register what a layer above joins, in the same transaction, the lowest place first.

    The places follow the order of locks: referrals before points accounts, stock never.
    """

    def register(step: Step) -> Step:
        _steps[place] = step
        return step

    return register


@retried
def request_merge(
    *, loser_id: int, survivor_id: int, actor_id: int, reason: str, take_back_bonus: bool = False
) -> Member | MergeRequest:
    """Merge at once, or ask a second person when more points than the programme's limit would move.

    A repeat returns the first answer. Raises what ``merge_members`` raises.
    """
    loser, survivor = _lock(loser_id, survivor_id)
    if loser.merged_into_id == survivor_id:
        return survivor
    _refuse_wrong(loser, survivor, actor_id, reason)
    if sum(weigh(loser_id) for weigh in weights) <= Programme.current().adjustment_limit:
        return merge_members(
            loser_id=loser_id,
            survivor_id=survivor_id,
            actor_id=actor_id,
            reason=reason,
            take_back_bonus=take_back_bonus,
        )
    fields = {"survivor_id": survivor_id, "take_back_bonus": take_back_bonus, "reason": reason}
    request, _made = MergeRequest.objects.get_or_create(
        loser_id=loser_id,
        state=State.WAITING,
        defaults=fields | {"requested_by_id": actor_id, "requested_at": database_now()},
    )
    if request.survivor_id != survivor_id:
        raise NotMergeable(loser_id)
    return request


@retried
def approve_merge(*, request_id: int, actor_id: int) -> Member:
    """Do a waiting merge. Raises AlreadyDecided, SecondPersonNeeded or what ``merge_members`` raises."""
    request = _decide(request_id, actor_id, State.APPROVED)
    return merge_members(
        loser_id=request.loser_id,
        survivor_id=request.survivor_id,
        actor_id=actor_id,
        reason=request.reason,
        take_back_bonus=request.take_back_bonus,
    )


@retried
def refuse_merge(*, request_id: int, actor_id: int, reason: str) -> None:
    """Turn a waiting merge down. Raises AlreadyDecided, SecondPersonNeeded or OwnMembership."""
    request = _decide(request_id, actor_id, State.REFUSED)
    write_audit(actor_id=actor_id, action="merge.refused", target=f"merge {request.pk}", reason=reason)


@retried
def merge_members(
    *,
    loser_id: int,
    survivor_id: int,
    actor_id: int,
    reason: str,
    take_back_bonus: bool = False,
    at: datetime | None = None,
) -> Member:
    """Let one member end in another, once: a repeat returns the survivor. The caller has checked who may.

    Number, public id, outside identities and, where the survivor has none, the login of the loser lead to the survivor.
    The person's empty fields are filled; a refusal of messages by either stays. Writes ``member.merged`` and an audit
    row. Raises SameMember, NotMergeable, OwnMembership or ReasonMissing.
    """
    loser, survivor = _lock(loser_id, survivor_id)
    if loser.merged_into_id == survivor_id:
        return survivor
    _refuse_wrong(loser, survivor, actor_id, reason)
    now = at or database_now()
    merge = Merge(loser_id, survivor_id, actor_id, reason, now, take_back_bonus)
    _end(loser, survivor)
    _carry_refusals(merge)
    for _place, step in sorted(_steps.items()):
        step(merge)
    # Last: a new login waits for all who write rows of these members, and some of those wait for the accounts.
    _join_persons(loser, survivor, login_moves=_move_login(loser, survivor))
    data = {"loser": loser_id, "survivor": survivor_id}
    write_event(kind="member.merged", member_id=survivor_id, data=data, occurred_at=now)
    write_audit(actor_id=actor_id, action="member.merged", target=f"member:{survivor.number}", reason=reason, data=data)
    return survivor


def _lock(loser_id: int, survivor_id: int) -> tuple[Member, Member]:
    if loser_id == survivor_id:
        raise SameMember(loser_id)
    both = Member.objects.select_for_update(no_key=True).filter(pk__in=[loser_id, survivor_id]).order_by("pk")
    found = {member.pk: member for member in both}
    return found[loser_id], found[survivor_id]


def _refuse_wrong(loser: Member, survivor: Member, actor_id: int, reason: str) -> None:
    if loser.status == Member.Status.MERGED or survivor.status != Member.Status.ACTIVE:
        raise NotMergeable(loser.pk)
    if actor_id in {loser.user_id, survivor.user_id}:
        raise OwnMembership(actor_id)
    if not reason.strip():
        raise ReasonMissing


def _end(loser: Member, survivor: Member) -> None:
    """End the loser; those who ended in it before now end in the survivor, so that nobody follows a chain."""
    Member.objects.filter(merged_into=loser.pk).update(merged_into=survivor)
    Member.objects.filter(pk=loser.pk).update(status=Member.Status.MERGED, merged_into=survivor)
    Identity.objects.filter(member=loser).update(member=survivor)


def _carry_refusals(merge: Merge) -> None:
    """Repeat what the loser refused as a statement of the survivor; what it granted alone is not enough."""
    newest: dict[tuple[str, str], bool] = {}
    for said in Consent.objects.filter(member_id=merge.loser_id).order_by("pk"):
        newest[said.channel, said.purpose] = said.granted
    for (channel, purpose), granted in sorted(newest.items()):
        if not granted:
            record_consent(
                member_id=merge.survivor_id,
                channel=channel,
                purpose=purpose,
                granted=False,
                source="merge",
                actor_id=merge.actor_id,
                at=merge.at,
            )


def _move_login(loser: Member, survivor: Member) -> bool:
    """Give the survivor the loser's login when it has none; a second login stays with the loser and opens nothing."""
    if loser.user_id is None or survivor.user_id is not None:
        return False
    Member.objects.filter(pk=loser.pk).update(user=None)
    Member.objects.filter(pk=survivor.pk).update(user=loser.user_id)
    survivor.user = User.objects.get(pk=loser.user_id)
    return True


_BIRTHDAY = ("birth_month", "birth_day", "birth_year", "birthday_set_at")


def _join_persons(loser: Member, survivor: Member, *, login_moves: bool) -> None:
    kept, other = Person.objects.get(member=survivor), Person.objects.get(member=loser)
    filled = [name for name in ("name", "email", "phone") if not getattr(kept, name)]
    if login_moves:
        # Address and number follow the login, which has confirmed them.
        filled += [name for name in ("email", "phone") if getattr(other, name)]
    if kept.birth_month is None:
        filled += _BIRTHDAY
    Person.objects.filter(pk=kept.pk).update(**{name: getattr(other, name) for name in filled})


def _decide(request_id: int, actor_id: int, state: State) -> MergeRequest:
    request = MergeRequest.objects.select_for_update().get(pk=request_id)
    if request.state != State.WAITING:
        raise AlreadyDecided(request_id)
    if request.requested_by_id == actor_id:
        raise SecondPersonNeeded(request_id)
    if Member.objects.filter(pk__in=[request.loser_id, request.survivor_id], user_id=actor_id).exists():
        raise OwnMembership(actor_id)
    request.state, request.decided_by_id, request.decided_at = state, actor_id, database_now()
    request.save(update_fields=["state", "decided_by", "decided_at"])
    return request

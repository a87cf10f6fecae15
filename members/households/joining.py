"""How a household begins and grows: nobody is in one without having agreed."""

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q, QuerySet
from django.db.utils import IntegrityError

from members.accounts.access import MemberNotFound
from members.accounts.models import Member
from members.events.log import write_event
from members.households.models import Household, HouseholdInvite, HouseholdMember
from members.lib.clock import database_now
from members.lib.codes import fold_code
from members.lib.transactions import retried
from members.programme.models import Programme

Role = HouseholdMember.Role
State = HouseholdInvite.State

# The version of the words shown beside the tick; raise it whenever those words change.
TEXT_VERSION = "1"
INVITE_LIFE = timedelta(days=7)


class AlreadyInHousehold(Exception):
    """A member is in one household at a time."""


class HouseholdFull(Exception):
    """The household has as many members as the programme allows."""


class NotHead(Exception):
    """Only the head of a household invites and removes."""


class InviteGone(Exception):
    """There is no such open invitation for this member."""


@retried
def start_household(
    *, member_id: int, shares_points: bool, monthly_limit: int | None = None, at: datetime | None = None
) -> HouseholdMember:
    """Found a household with the member as its head. Raises AlreadyInHousehold, MemberNotFound."""
    now = at or database_now()
    household = Household.objects.create(founded_at=now)
    return _enter(household, member_id, Role.HEAD, shares_points=shares_points, monthly_limit=monthly_limit, now=now)


@retried
def invite(*, head_id: int, member_id: int | None = None, at: datetime | None = None) -> HouseholdInvite:
    """Invite one member, or make a one-time code; it lives seven days. A member is invited once at a time.

    Writes ``household.invited``. Raises NotHead, HouseholdFull.
    """
    now = at or database_now()
    household = lock_household_of_head(head_id)
    _refuse_when_full(household)
    invites = household.invites.filter(state=State.OPEN)
    invites.filter(expires_at__lte=now).update(state=State.WITHDRAWN, decided_at=now)
    known = invites.filter(member_id=member_id).first() if member_id is not None else None
    if known is not None:
        return known
    made = HouseholdInvite.objects.create(
        household=household, invited_by_id=head_id, member_id=member_id, created_at=now, expires_at=now + INVITE_LIFE
    )
    data = {"household": household.pk, "invite": made.pk}
    write_event(kind="household.invited", member_id=head_id, data=data, occurred_at=now)
    return made


@retried
def accept_invite(
    *,
    member_id: int,
    code: str,
    shares_points: bool,
    monthly_limit: int | None = None,
    at: datetime | None = None,
) -> HouseholdMember:
    """Join by an invitation, once: the code is used up. Raises InviteGone, AlreadyInHousehold, HouseholdFull,
    MemberNotFound.
    """
    now = at or database_now()
    found = open_invites(member_id, now).filter(code=fold_code(code)[:12]).first()
    if found is None:
        raise InviteGone
    household = Household.objects.select_for_update().get(pk=found.household_id)
    # Asked again under the lock: of two who come with one code only the first joins.
    if not open_invites(member_id, now).filter(pk=found.pk).exists():
        raise InviteGone
    _refuse_when_full(household)
    entered = _enter(
        household, member_id, Role.MEMBER, shares_points=shares_points, monthly_limit=monthly_limit, now=now
    )
    HouseholdInvite.objects.filter(pk=found.pk).update(state=State.ACCEPTED, decided_at=now, member_id=member_id)
    return entered


@retried
def decline_invite(*, member_id: int, invite_id: int, at: datetime | None = None) -> None:
    """Decline an invitation made to this member; a repeat changes nothing."""
    mine = HouseholdInvite.objects.filter(pk=invite_id, member_id=member_id, state=State.OPEN)
    mine.update(state=State.DECLINED, decided_at=at or database_now())


def open_invites(member_id: int, at: datetime) -> QuerySet[HouseholdInvite]:
    """Return the invitations that this member may accept at ``at``: to them, or to whoever has the code."""
    for_them = Q(member_id=member_id) | Q(member_id=None)
    return HouseholdInvite.objects.filter(for_them, state=State.OPEN, expires_at__gt=at)


def lock_household_of_head(head_id: int) -> Household:
    """Lock the household that this member heads. Raises NotHead."""
    belonging = HouseholdMember.objects.filter(member_id=head_id, left_at=None, role=Role.HEAD).first()
    if belonging is None:
        raise NotHead(head_id)
    household = Household.objects.select_for_update().get(pk=belonging.household_id)
    if not HouseholdMember.objects.filter(pk=belonging.pk, left_at=None, role=Role.HEAD).exists():
        raise NotHead(head_id)
    return household


def _refuse_when_full(household: Household) -> None:
    if household.belongings.filter(left_at=None).count() >= Programme.current().household_size:
        raise HouseholdFull(household.pk)


def _enter(
    household: Household,
    member_id: int,
    role: Role,
    *,
    shares_points: bool,
    monthly_limit: int | None,
    now: datetime,
) -> HouseholdMember:
    if not Member.objects.active().filter(pk=member_id).exists():
        raise MemberNotFound
    try:
        with transaction.atomic():
            entered = HouseholdMember.objects.create(
                household=household,
                member_id=member_id,
                role=role,
                joined_at=now,
                shares_points=shares_points,
                monthly_limit=monthly_limit if shares_points else None,
                consented_at=now if shares_points else None,
                text_version=TEXT_VERSION if shares_points else "",
            )
    except IntegrityError as problem:
        raise AlreadyInHousehold(member_id) from problem
    data = {"household": household.pk, "shares": int(shares_points)}
    write_event(kind="household.joined", member_id=member_id, data=data, occurred_at=now)
    return entered

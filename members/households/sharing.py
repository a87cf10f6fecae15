"""What a member shares with the household, and who may use whose points."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Exists, OuterRef, Sum

from members.accounts.models import Member
from members.events.log import write_event
from members.households.joining import TEXT_VERSION, Role
from members.households.models import HouseholdMember, HouseholdUse
from members.ledger import pools
from members.ledger.locking import lock_accounts
from members.ledger.pools import Share, Use
from members.lib import periods
from members.lib.clock import database_now
from members.lib.transactions import retried
from members.programme.models import Programme


@dataclass(frozen=True)
class Seen:
    """What the others see of one who belongs to the household: a first name, and what is shared with whoever looks."""

    member_id: int
    first_name: str
    is_head: bool
    is_self: bool
    shared: int


@retried
def change_sharing(
    *, member_id: int, shares_points: bool, monthly_limit: int | None, at: datetime | None = None
) -> None:
    """Say whether the others may use the own points, and how many a month; in force when this returns.

    Writes ``household.sharing_changed``. Nothing happens for a member without household.
    """
    # Waits for whoever is spending these points at this moment.
    lock_accounts([member_id])
    own = HouseholdMember.objects.filter(member_id=member_id, left_at=None).first()
    if own is None:
        return
    now = at or database_now()
    agreed = {"consented_at": now, "text_version": TEXT_VERSION} if shares_points and not own.shares_points else {}
    HouseholdMember.objects.filter(pk=own.pk).update(
        shares_points=shares_points, monthly_limit=monthly_limit if shares_points else None, **agreed
    )
    data = {"household": own.household_id, "shares": int(shares_points)}
    write_event(kind="household.sharing_changed", member_id=member_id, data=data, occurred_at=now)


def belonging_of(member_id: int) -> HouseholdMember | None:
    """Return the member's place in a household, or None."""
    return HouseholdMember.objects.filter(member_id=member_id, left_at=None).first()


def seen_by(member_id: int, at: datetime) -> list[Seen]:
    """Return the household as this member sees it, the head first."""
    own = belonging_of(member_id)
    if own is None:
        return []
    shared = {share.member_id: share.points for share in pools.shared_points(member_id, at)}
    rows = HouseholdMember.objects.filter(household=own.household_id, left_at=None).select_related("member__person")
    return [
        Seen(
            member_id=row.member_id,
            first_name=(row.member.person.name.split() or ["–"])[0],
            is_head=row.role == Role.HEAD,
            is_self=row.member_id == member_id,
            shared=shared.get(row.member_id, 0),
        )
        for row in sorted(rows, key=lambda row: (row.role != Role.HEAD, row.joined_at, row.pk))
    ]


def helped_members(member_ids: Collection[int]) -> set[int]:
    """Return which of the members belong to a household in which somebody else shares points."""
    others = HouseholdMember.objects.filter(household=OuterRef("household"), left_at=None, shares_points=True)
    own = HouseholdMember.objects.filter(member__in=member_ids, left_at=None)
    return set(own.filter(Exists(others.exclude(member=OuterRef("member")))).values_list("member", flat=True))


class HouseholdPool:
    """The household as a pool of points."""

    def shares_with(self, member_id: int, at: datetime) -> list[Share]:
        """Return the others of the household who agreed, with what is left of their month. At most three queries."""
        # Most belong to none, and every redemption asks.
        if not HouseholdMember.objects.filter(member_id=member_id, left_at=None).exists():
            return []
        others = HouseholdMember.objects.filter(
            household__belongings__member=member_id,
            household__belongings__left_at=None,
            left_at=None,
            shares_points=True,
            member__status=Member.Status.ACTIVE,
        ).exclude(member_id=member_id)
        limits = dict(others.order_by("member_id").values_list("member_id", "monthly_limit"))
        used = _used_this_month([each for each, limit in limits.items() if limit is not None], at)
        return [
            Share(each, None if limit is None else max(limit - used.get(each, 0), 0)) for each, limit in limits.items()
        ]

    def note_use(self, use: Use, *, at: datetime) -> None:
        """Remember the use."""
        HouseholdUse.objects.create(giver_id=use.giver_id, taker_id=use.taker_id, points=use.points, key=use.key, at=at)

    def uses_for(self, key: str) -> list[Use]:
        """Return what helped a spending and was not given back."""
        uses = HouseholdUse.objects.filter(key=key, given_back_at=None).order_by("giver_id")
        return [Use(use.giver_id, use.taker_id, use.points, use.key) for use in uses]

    def note_given_back(self, key: str, *, at: datetime) -> None:
        """Remember that it was given back: it counts against no limit any more."""
        HouseholdUse.objects.filter(key=key, given_back_at=None).update(given_back_at=at)


def _used_this_month(member_ids: list[int], at: datetime) -> dict[int, int]:
    if not member_ids:
        return {}
    zone = Programme.current().tz
    start = periods.start_of_day(periods.local_day(at, zone).replace(day=1), zone)
    used = HouseholdUse.objects.filter(giver__in=member_ids, at__gte=start, given_back_at=None)
    return dict(used.values_list("giver").annotate(total=Sum("points")).order_by())


pools.sources.append(HouseholdPool())

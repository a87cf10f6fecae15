"""Purchases that came too late to earn: too old when they were reported, or made before the member joined."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from members.accounts.models import Member
from members.lib import periods
from members.programme.models import Programme
from members.purchases.drafts import PurchaseDraft

TOO_OLD, BEFORE_JOINING = "too_old", "before_joining"


@dataclass(frozen=True)
class Late:
    """Why a purchase earns nothing, and the days that the programme allowed."""

    why: str
    days: int


def is_late(breakdown: Mapping[str, object]) -> bool:
    """Tell whether a stored breakdown says that the purchase came too late."""
    return breakdown.get("refused") in {TOO_OLD, BEFORE_JOINING}


def late_ones(drafts: Sequence[PurchaseDraft], *, reported_at: datetime | None = None) -> dict[int, Late]:
    """Return by place the drafts that earn nothing because they came too late. One read, and only with such a rule.

    Days are local days of the programme: what was bought on the day of joining was bought by a member. ``reported_at``
    None is now.
    """
    programme = Programme.current()
    if programme.oldest_purchase_days is None and programme.before_joining_days is None:
        return {}
    # The host's clock will do, and spares the award a statement: whole days are told apart here.
    today = periods.local_day(reported_at or datetime.now(UTC), programme.tz)
    joined = _joined(drafts) if programme.before_joining_days is not None else {}
    late = {}
    for place, draft in enumerate(drafts):
        bought = periods.local_day(draft.purchased_at, programme.tz)
        start = joined.get(draft.member_id)
        if programme.oldest_purchase_days is not None and (today - bought).days > programme.oldest_purchase_days:
            late[place] = Late(TOO_OLD, programme.oldest_purchase_days)
        elif start and (periods.local_day(start, programme.tz) - bought).days > (programme.before_joining_days or 0):
            late[place] = Late(BEFORE_JOINING, programme.before_joining_days or 0)
    return late


def _joined(drafts: Sequence[PurchaseDraft]) -> dict[int, datetime]:
    members = Member.objects.filter(pk__in={draft.member_id for draft in drafts})
    return dict(members.values_list("pk", "joined_at"))

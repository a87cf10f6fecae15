"""A shop with tiers on paper: what members do on which day, and where they stand then."""

import itertools
from datetime import UTC, datetime

from django.db import transaction

from members.accounts.models import Member
from members.events.log import write_event
from members.purchases.drafts import DraftLine
from members.purchases.returns import record_return
from members.tiers.recalculation import recalculate
from members.tiers.standing import as_of
from tests.factories import buy, make_member, make_rule, make_tiers
from tests.members.purchases.test_returns import draft_return

_serial = itertools.count(1)


def day(year: int, month: int, date: int, hour: int = 12) -> datetime:
    """Return an hour of a day, in London's winter time."""
    return datetime(year, month, date, hour, tzinfo=UTC)


def open_shop(**tiers: object):
    """Return the ladder Blue 0, Silver 500, Gold 1500, with one point a pound."""
    make_rule()
    return make_tiers(**tiers)


def joined(at: datetime) -> Member:
    """Return a member who joined then."""
    return make_member(joined_at=at)


def shop(member: Member, points: int, at: datetime, **fields: object):
    """Buy for so many points."""
    return buy(member, amount=points * 100, purchased_at=at, **fields)


def bring_back(member: Member, points: int, at: datetime, sku: str = "TEA"):
    """Return one piece that gave so many points."""
    line = DraftLine(sku, 1, points * 100)
    return record_return(draft=draft_return(member, line, returned_at=at, number=f"C{next(_serial)}"))


@transaction.atomic
def bring_friend(member: Member, at: datetime):
    """Have a referral of the member approved."""
    return write_event(kind="referral.granted", member_id=member.pk, data={"referral": 1}, occurred_at=at)


def tier_on(member: Member, at: datetime) -> str:
    """Review everybody and return the name of the member's tier then."""
    recalculate(at=at)
    standing = as_of(member.pk, at)
    assert standing is not None
    return standing.tier.name

"""A shop with tiers on paper: what members do on which day, and where they stand then."""

import itertools
from datetime import UTC, datetime, timedelta
from random import Random

from django.db import transaction

from members.accounts.models import Member
from members.events.log import write_event
from members.ledger.models import PointsLot
from members.purchases.drafts import DraftLine
from members.purchases.returns import record_return
from members.tiers import granting
from members.tiers.models import Tier, TierSet
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


def open_random_shop(chance: Random) -> TierSet:
    """Return a ladder of random windows, terms, graces and further conditions."""
    tier_set = open_shop(
        window=chance.choice(TierSet.Window.values),
        window_months=3,
        window_days=50,
        keep=chance.choice(TierSet.Keep.values),
        keep_months=2,
        keep_days=45,
        grace_days=chance.choice([0, 15]),
        drop=chance.choice(TierSet.Drop.values),
        combine=chance.choice(["ALL", "ANY"]),
    )
    silver, gold = tier_set.tiers.get(rank=1), tier_set.tiers.get(rank=2)
    Tier.objects.filter(pk=silver.pk).update(also_tenure=chance.choice([None, 8]))
    Tier.objects.filter(pk=gold.pk).update(also_referrals=chance.choice([None, 1]))
    return tier_set


def random_day(chance: Random, member: Member, at: datetime) -> None:
    """Let something happen to a member, or nothing."""
    what = chance.randrange(8)
    if what < 3:
        shop(member, chance.choice([100, 250, 500, 900]), at - timedelta(days=chance.choice([0, 0, 40])))
    elif what == 3:
        bring_friend(member, at)
    elif what == 4:
        recorded = shop(member, 300, at)
        PointsLot.objects.filter(entry__purchase_id=recorded.purchase_id).update(
            available_from=at + timedelta(days=chance.choice([20, 60]))
        )
    elif what == 5 and member.purchases.filter(amount=25_000, lines__return_lines=None).exists():
        bring_back(member, 250, at)
    elif what == 6:
        granting.grant_tier(
            member_id=member.pk,
            tier_id=chance.choice(list(Tier.objects.filter(tier_set__is_current=True))).pk,
            until=at + timedelta(days=chance.choice([30, 90])),
            why=chance.choice(["MANUAL", "PAID"]),
            reason="x",
            key=f"{member.pk}:{at.isoformat()}",
            at=at,
        )

"""Examples that a shop owner can check on paper, from the purchase to the balance."""

from datetime import UTC, date, datetime

import pytest

from members.ledger import posting
from members.ledger.expiry import expire_due
from members.ledger.models import PointsEntry
from members.ledger.statements import balance_of, spendable_points
from members.programme.models import Programme
from members.purchases.drafts import DraftLine
from members.purchases.returns import record_return
from tests.factories import buy, make_member, make_rule, set_programme
from tests.members.purchases.documents import draft_return

pytestmark = [pytest.mark.django_db, pytest.mark.ledger_alone]


def day(year: int, month: int, of_month: int, hour: int = 12) -> datetime:
    return datetime(year, month, of_month, hour, tzinfo=UTC)


@pytest.fixture
def member():
    """One point a pound; points last 12 months, to the end of that month, in London."""
    make_rule()
    set_programme(
        zone="Europe/London",
        expiry_policy=Programme.ExpiryPolicy.MONTHS,
        expiry_months=12,
        expiry_round_up="MONTH",
        debt_policy="CLAMP",
    )
    return make_member(joined_at=day(2024, 1, 1))


def bought(member, pounds, at):
    return buy(member, amount=pounds * 100, purchased_at=at)


@pytest.mark.parametrize("swept_each_month", [True, False])
def test_a_year_of_earning_and_expiry(member, swept_each_month):
    """Whether the sweep ran each month or never, the member sees the same.

    15 Jan 2024  bought for 100   100 points, to the end of 31 Jan 2025
    10 Mar 2024  bought for  50   150 points; these last to the end of 31 Mar 2025
     5 Jun 2024  used       120    30 points: the 100 of January first, then 20 of March
    31 Jan 2025                    30 points: of January's nothing is left that could end
    31 Mar 2025  23:59 (BST)       30 points, for the last time
     1 Apr 2025  00:00 (BST)        0 points
    """
    seen = []

    def look(at):
        if swept_each_month:
            expire_due(at=at)
        seen.append(spendable_points(member.pk, at))

    bought(member, 100, day(2024, 1, 15))
    look(day(2024, 1, 15))
    bought(member, 50, day(2024, 3, 10))
    look(day(2024, 3, 10))
    ends = balance_of(member.pk, day(2024, 3, 11)).expiring
    assert [(end.points, end.last_day) for end in ends] == [(100, date(2025, 1, 31)), (50, date(2025, 3, 31))]
    posting.spend(member_id=member.pk, points=120, key="s", reason="reward", at=day(2024, 6, 5))
    look(day(2024, 6, 5))
    look(day(2025, 2, 1))
    # Summer time: midnight in London is 23:00 UTC.
    look(datetime(2025, 3, 31, 22, 59, 59, tzinfo=UTC))
    look(datetime(2025, 3, 31, 23, 0, tzinfo=UTC))
    assert seen == [100, 150, 30, 30, 30, 0]
    expire_due(at=day(2025, 4, 1))
    assert PointsEntry.objects.get(kind="EXPIRE").points == -30


@pytest.mark.parametrize(("policy", "owed", "after_the_next_purchase"), [("CLAMP", 0, 60), ("DEBT", 47, 13)])
def test_a_return_after_a_redemption(member, policy, owed, after_the_next_purchase):
    """Three cups for 33.34, 33.33 and 33.33 are 100 points. 80 are used; 20 are left.

    RED comes back    33.34 of 100.00 are 33 points; 20 are there, 13 are missing
    BLUE comes back   66.67 of 100.00 are 67 points, less the 33 of before: 34, all missing
    Missing in all    47: recorded and forgiven, or owed, as the programme says
    Bought for 60     60 points, or 60 − 47 = 13
    GREEN comes back  100 points, less the 67 of before: 33
    """
    set_programme(debt_policy=policy, expiry_policy=Programme.ExpiryPolicy.NEVER)
    cups = {"RED": 3334, "BLUE": 3333, "GREEN": 3333}
    buy(
        member,
        lines=tuple(DraftLine(sku, 1, amount) for sku, amount in cups.items()),
        purchased_at=day(2024, 1, 15),
    )
    posting.spend(member_id=member.pk, points=80, key="s", reason="reward", at=day(2024, 1, 20))

    def bring_back(sku):
        line = DraftLine(sku, 1, cups[sku])
        record_return(draft=draft_return(member, line, returned_at=day(2024, 2, 1)))
        told = PointsEntry.objects.filter(kind="RETURN").latest("pk").breakdown
        return told["asked"], told["shortfall"] + told["debt"]

    assert bring_back("RED") == (33, 13)
    assert bring_back("BLUE") == (34, 34)
    balance = balance_of(member.pk, day(2024, 2, 1))
    assert (balance.spendable, balance.debt) == (0, owed)
    bought(member, 60, day(2024, 2, 10))
    assert spendable_points(member.pk, day(2024, 2, 10)) == after_the_next_purchase
    assert bring_back("GREEN")[0] == 33
    asked = [entry.breakdown["asked"] for entry in PointsEntry.objects.filter(kind="RETURN")]
    assert sum(asked) == 100

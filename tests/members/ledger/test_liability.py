"""What the points out there are worth: counted from the books, money only where a cost was set."""

from datetime import UTC, datetime, timedelta
from fractions import Fraction

import pytest

from members.ledger import posting
from members.ledger.expiry import expire_due
from members.ledger.liability import breakage_at, points_report
from tests.factories import give, make_member, set_programme

pytestmark = [pytest.mark.django_db, pytest.mark.ledger_alone]

GIVEN = datetime(2026, 1, 10, 12, tzinfo=UTC)
SPENT = datetime(2026, 2, 1, 12, tzinfo=UTC)
ENDS = datetime(2026, 3, 1, tzinfo=UTC)
LATER = datetime(2026, 6, 15, 12, tzinfo=UTC)


def report(at=LATER):
    return points_report(since=GIVEN - timedelta(days=9), at=at)


def test_a_year_on_paper():
    """1,000 given, 400 used, 300 ended unused, 300 end later: 3 of 7 hundred that ended were not used."""
    set_programme(cost_of_thousand_points=5000)
    member = make_member()
    give(member, 700, at=GIVEN, expires_at=ENDS)
    give(member, 300, at=GIVEN, expires_at=ENDS + timedelta(days=365))
    posting.spend(member_id=member.pk, points=400, key="s", reason="reward", at=SPENT)
    expire_due(at=LATER)
    found = points_report(since=GIVEN - timedelta(days=9), at=datetime.now(UTC))
    assert found.outstanding == 300
    assert found.moved == {"ISSUED": 1000, "REDEEMED": -400, "EXPIRED": -300}
    assert found.breakage.rate == Fraction(300, 700)
    # 300 × 4/7 = 171.4…, and half a point is still owed whole.
    assert found.expected_to_be_used == 172
    assert (found.liability, found.liability_without_breakage, found.cost_of_redeemed) == (860, 1500, 2000)


def test_points_past_their_end_are_worth_nothing_before_the_sweep_has_run():
    give(make_member(), 70, at=GIVEN, expires_at=ENDS)
    assert report().outstanding == 0
    assert report(at=SPENT).outstanding == 70
    assert breakage_at(LATER).rate == 1


def test_nothing_has_ended_yet_so_no_breakage_is_claimed():
    give(make_member(), 70, at=GIVEN, expires_at=ENDS)
    found = report(at=SPENT)
    assert found.breakage.rate is None
    assert found.expected_to_be_used == 70


def test_without_a_cost_points_have_no_price():
    give(make_member(), 70, at=GIVEN, expires_at=ENDS)
    assert report(at=SPENT).liability is None


def test_points_are_listed_by_the_month_of_their_last_usable_day():
    member = make_member()
    give(member, 5, at=GIVEN, expires_at=ENDS)
    give(member, 6, at=GIVEN, expires_at=ENDS + timedelta(days=1))
    set_programme(expiry_months=None)
    give(member, 7, at=GIVEN)
    months = [(month.first and month.first.isoformat(), month.points) for month in report(at=SPENT).endings]
    assert months == [("2026-02-01", 5), ("2026-03-01", 6), (None, 7)]

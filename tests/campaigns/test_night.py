"""One whole night of the real jobs: each sees what the one before it has done."""

from datetime import UTC, datetime, timedelta

import pytest

from campaigns.messaging.models import Delivery
from members.jobs import schedule
from members.ledger.models import PointsEntry
from members.ledger.statements import balance_of
from members.tiers.models import Standing
from members.tiers.recalculation import recalculate
from tests.campaigns.factories import LONG_AGO, born, change_campaign, make_reachable
from tests.factories import buy, give, make_rule, make_tiers, set_programme

pytestmark = pytest.mark.django_db

# Three o'clock in London.
NIGHT = datetime(2027, 6, 15, 2, 0, tzinfo=UTC)


def test_points_end_then_tiers_are_reviewed_then_gifts_are_given_then_reminders_are_planned():
    order = schedule.night_order()
    places = [order.index(job) for job in ("expire-points", "recalculate-tiers", "birthdays", "points-reminders")]
    assert places == sorted(places)


def test_a_gift_of_the_night_never_keeps_a_member_from_the_tier_that_is_due():
    """The known bad effect of other orders: a reward given before the tier check holds the member below the tier."""
    set_programme(zone="Europe/London")
    make_rule()
    make_tiers(thresholds=(0, 500))
    member = make_reachable(marketing=True, joined_at=LONG_AGO)
    born(member, 6, 15)
    change_campaign("birthday", gift_points=100)
    recalculate(at=NIGHT - timedelta(days=30))
    buy(member, 60_000, purchased_at=NIGHT - timedelta(days=20))
    give(member, 70, at=NIGHT - timedelta(days=90), expires_at=NIGHT - timedelta(hours=2))
    give(member, 40, at=NIGHT - timedelta(days=90), expires_at=NIGHT + timedelta(days=7))

    schedule.run_night(at=NIGHT)

    written = PointsEntry.objects.filter(member=member, kind__in=["EXPIRE", "GRANT"], occurred_at__gte=NIGHT)
    assert list(written.order_by("pk").values_list("kind", "points")) == [("EXPIRE", -70), ("GRANT", 100)]
    assert Standing.objects.get(member=member, until_at=None).tier.code == "silver"
    assert balance_of(member.pk, NIGHT).spendable == 600 + 40 + 100
    # The gift of this very night ends in 60 days, and the reminder of that is planned already.
    assert Delivery.objects.filter(message="points_expiring", step=60).count() == 1


def test_the_same_night_twice_changes_nothing_the_second_time():
    set_programme(zone="Europe/London")
    make_tiers()
    member = make_reachable(joined_at=LONG_AGO)
    give(member, 70, at=NIGHT - timedelta(days=90), expires_at=NIGHT)
    for _again in range(2):
        schedule.run_night(at=NIGHT)
    assert PointsEntry.objects.filter(kind="EXPIRE").count() == 1
    assert Standing.objects.count() == 1

"""Late and back-dated purchases: recorded always, earning only as the programme allows."""

from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from members.ledger.models import PointsEntry
from members.models import Standing, Tier
from members.purchases.models import Purchase
from members.purchases.quoting import quote
from members.purchases.recording import record_purchases
from tests.factories import buy, draft_purchase, make_member, make_rule, make_tiers, set_programme

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def rule(db):
    set_programme(expiry_policy="NEVER")
    return make_rule()


def days_ago(days):
    return timezone.now() - timedelta(days=days)


@pytest.mark.parametrize(
    ("allowed", "age", "earns"), [(None, 900, True), (30, 30, True), (30, 31, False), (0, 1, False)]
)
def test_a_purchase_that_is_reported_too_late_is_recorded_and_earns_nothing(allowed, age, earns):
    """R63."""
    set_programme(oldest_purchase_days=allowed)
    recorded = buy(make_member(), purchased_at=days_ago(age))
    assert recorded.points == (19 if earns else 0)
    assert Purchase.objects.count() == PointsEntry.objects.filter(kind="EARN").count() == 1
    if not earns:
        assert recorded.breakdown["refused"] == "too_old"
        assert recorded.explanation == [
            f"Purchases reported more than {allowed} day{'s'[: allowed != 1]} after their day earn no points."
        ]


@pytest.mark.parametrize(
    ("allowed", "before", "earns"),
    [(None, 900, True), (0, 0, True), (0, 1, False), (7, 7, True), (7, 8, False)],
)
def test_a_purchase_before_joining_earns_within_the_days_allowed(allowed, before, earns):
    set_programme(before_joining_days=allowed)
    member = make_member(joined_at=days_ago(10))
    recorded = buy(member, purchased_at=member.joined_at - timedelta(days=before))
    assert recorded.points == (19 if earns else 0)
    if not earns:
        assert recorded.breakdown["refused"] == "before_joining"
        days = "before the day of joining" if not allowed else f"more than {allowed} days before the day of joining"
        assert recorded.explanation == [f"Purchases made {days} earn no points."]


def test_days_are_local_days_and_the_day_of_joining_counts_as_membership():
    """23:30 in London on the 9th is a day earlier than 00:30 on the 10th; in UTC both are the 9th."""
    set_programme(before_joining_days=0, zone="Europe/London")
    member = make_member(joined_at=datetime(2026, 6, 9, 23, 30, tzinfo=UTC))
    assert buy(member, purchased_at=datetime(2026, 6, 9, 23, 5, tzinfo=UTC)).points == 19
    assert buy(member, purchased_at=datetime(2026, 6, 9, 22, 30, tzinfo=UTC)).points == 0


def test_the_tier_stays_that_of_the_purchase():
    set_programme(oldest_purchase_days=60)
    tiers = make_tiers()
    member = make_member(joined_at=days_ago(90))
    blue, silver = Tier.objects.filter(tier_set=tiers, rank__lt=2).order_by("rank")
    Standing.objects.create(member=member, tier=silver, from_at=days_ago(90), until_at=days_ago(20))
    Standing.objects.create(member=member, tier=blue, from_at=days_ago(20))
    assert [buy(member, amount=4000, purchased_at=days_ago(age)).points for age in (30, 10, 61)] == [50, 40, 0]


def test_a_repeat_gives_the_first_result_whatever_the_setting_says_now():
    draft = draft_purchase(make_member(), purchased_at=days_ago(40))
    first = record_purchases(drafts=[draft])[0]
    set_programme(oldest_purchase_days=30)
    again = record_purchases(drafts=[draft])[0]
    assert (again.points, again.is_new, again.differs) == (first.points, False, False)


def test_a_dry_run_says_so_too_but_not_for_a_date_that_is_asked_about():
    set_programme(oldest_purchase_days=30)
    draft = draft_purchase(make_member(), purchased_at=days_ago(40))
    assert quote(draft=draft).breakdown["refused"] == "too_old"
    assert quote(draft=draft, at=days_ago(45)).points == 19

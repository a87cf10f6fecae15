"""The gift on reaching a tier, and what else a tier gives."""

import pytest
from django.utils import timezone

from members import work
from members.events.models import Event
from members.ledger.models import PointsEntry
from members.tiers import granting
from members.tiers.benefits import benefits_of
from members.tiers.gifts import give_on_the_way_up
from members.tiers.models import Tier, TierSet
from members.tiers.recalculation import recalculate
from tests.members.tiers.shop import day, joined, open_shop, shop

pytestmark = [pytest.mark.django_db, pytest.mark.ledger_alone]

START = day(2024, 1, 1)


def open_generous_shop(**fields):
    """Silver brings 50 points, Gold 100; the calendar year counts."""
    tier_set = open_shop(window=TierSet.Window.YEAR, keep=TierSet.Keep.PERIOD, **fields)
    for code, points in {"silver": 50, "gold": 100}.items():
        Tier.objects.filter(tier_set=tier_set, code=code).update(gift_points=points)
    return tier_set


def gifts(member):
    # Reading twice gives once: the keys hold.
    for _ in range(2):
        for event in Event.objects.filter(kind="tier.changed").order_by("pk"):
            give_on_the_way_up(event)
    given = PointsEntry.objects.filter(member=member, kind="GRANT", reason="tier_gift").order_by("pk")
    return [entry.points for entry in given]


def rise(member, points, at):
    shop(member, points, at, backfilled=False)
    recalculate(at=at)
    return gifts(member)


def newcomer():
    member = joined(START)
    recalculate(at=START)
    return member


def test_a_tier_brings_its_gift():
    open_generous_shop()
    assert rise(newcomer(), 500, day(2026, 3, 1)) == [50]


def test_each_skipped_tier_brings_its_own():
    open_generous_shop()
    assert rise(newcomer(), 1500, day(2026, 3, 1)) == [50, 100]


def test_the_first_evaluation_above_the_lowest_tier_is_a_rise():
    open_generous_shop()
    assert rise(joined(START), 500, day(2026, 3, 1)) == [50]


def test_a_tier_that_is_kept_brings_nothing():
    open_generous_shop()
    member = newcomer()
    rise(member, 500, day(2026, 3, 1))
    rise(member, 500, day(2026, 4, 1))
    recalculate(at=day(2027, 1, 1, 3))
    assert gifts(member) == [50]


def test_once_per_member_and_tier_in_a_period():
    """Losing a tier and reaching it again in the same year brings nothing; in another year it does."""
    open_shop(window=TierSet.Window.MONTHS, keep=TierSet.Keep.DAYS, keep_days=20, window_months=1)
    Tier.objects.filter(code="silver").update(gift_points=50)
    member = newcomer()
    assert rise(member, 500, day(2026, 2, 1)) == [50]
    assert recalculate(at=day(2026, 4, 1))["down"] == 1
    assert rise(member, 500, day(2026, 6, 1)) == [50]
    assert recalculate(at=day(2026, 9, 1))["down"] == 1
    assert rise(member, 500, day(2027, 2, 1)) == [50, 50]


def test_an_imported_past_brings_nothing():
    open_generous_shop()
    member = newcomer()
    shop(member, 1500, day(2026, 3, 1), backfilled=True)
    recalculate(at=day(2026, 3, 1), backfilled=True)
    assert gifts(member) == []


def test_a_tier_brought_from_elsewhere_brings_nothing_and_one_that_was_paid_for_does():
    open_generous_shop()
    gold = Tier.objects.get(code="gold")
    given = []
    for why in ("IMPORTED", "PAID"):
        member = newcomer()
        granting.grant_tier(member_id=member.pk, tier_id=gold.pk, until=None, why=why, reason="x", key=why)
        given.append(gifts(member))
    assert given == [[], [50, 100]]


@pytest.mark.django_db(transaction=True)
def test_the_worker_gives_it_within_seconds():
    open_generous_shop()
    member = newcomer()
    shop(member, 500, timezone.now())
    for _ in range(2):
        work.do_due_work()
    assert PointsEntry.objects.get(member=member, kind="GRANT").points == 50


def test_benefits_are_those_of_the_tier_that_was_held_then():
    open_generous_shop()
    Tier.objects.filter(code="silver").update(birthday_percent=50, birthday_points=7, perks_en="Free tea")
    member = newcomer()
    rise(member, 500, day(2026, 3, 1))
    before, after = (benefits_of(member.pk, at) for at in (day(2026, 2, 1), day(2026, 3, 2)))
    assert (before.birthday_gift(99), str(before.multiplier), before.perks) == (99, "1.000", [])
    # 99 and a half of it is 148.5, rounded down, and 7 more.
    assert (after.birthday_gift(99), str(after.multiplier), after.perks) == (155, "1.250", ["Free tea"])
    assert after.birthday_gift(0) == 0


def test_without_a_standing_there_are_no_benefits():
    nothing = benefits_of(joined(START).pk, START)
    assert nothing.tier is None
    assert (float(nothing.multiplier), nothing.birthday_gift(10)) == (1.0, 10)

"""What counts for a tier, and in which window."""

import random
from datetime import timedelta

import pytest

from members.ledger import posting
from members.ledger.models import PointsLot, PointType
from members.purchases.drafts import DraftLine, Named
from members.purchases.returns import record_return
from members.tiers.evaluation import reached
from members.tiers.models import Standing, Tier, TierSet
from members.tiers.placing import place_of, structure_of
from members.tiers.recalculation import recalculate
from members.tiers.standing import progress
from tests.factories import buy, give, make_member, set_programme
from tests.members.purchases.documents import draft_return
from tests.members.tiers.shop import bring_back, bring_friend, day, joined, open_shop, shop, tier_on

pytestmark = [pytest.mark.django_db, pytest.mark.ledger_alone]

START = day(2024, 1, 1)
Basis, Window = TierSet.Basis, TierSet.Window


def figures_of(member, at):
    place = place_of(structure_of(TierSet.objects.get(is_current=True)), member.pk, at)
    assert place is not None
    return place.figures


@pytest.mark.parametrize(("spent", "tier"), [(0, "Blue"), (4_999, "Blue"), (5_000, "Silver"), (5_001, "Silver")])
def test_by_money_spent(spent, tier):
    open_shop(thresholds=(0, 5_000), basis=Basis.SPEND)
    member = joined(START)
    buy(member, amount=spent, purchased_at=day(2026, 3, 1))
    assert tier_on(member, day(2026, 6, 1)) == tier


@pytest.mark.parametrize(("given_back", "tier"), [(1_000, "Silver"), (1_001, "Blue")])
def test_money_that_went_back_without_goods_was_not_spent(given_back, tier):
    open_shop(thresholds=(0, 5_000), basis=Basis.SPEND)
    member = joined(START)
    buy(member, amount=6_000, purchased_at=day(2026, 3, 1), number="P")
    allowance = draft_return(
        member, kind="ALLOWANCE", amount=given_back, purchase=Named("shop", "P"), returned_at=day(2026, 3, 9)
    )
    record_return(draft=allowance)
    assert figures_of(member, day(2026, 6, 1)) == {"SPEND": 6_000 - given_back}
    assert tier_on(member, day(2026, 6, 1)) == tier


def test_by_number_of_purchases_and_one_that_came_back_as_a_whole_is_none():
    open_shop(thresholds=(0, 3), basis=Basis.PURCHASES)
    member = joined(START)
    for date in (1, 2):
        shop(member, 100, day(2026, 3, date))
    buy(member, lines=(DraftLine("CUP", 2, 20_000),), purchased_at=day(2026, 3, 3))
    bring_back(member, 100, day(2026, 3, 10), sku="CUP")
    assert figures_of(member, day(2026, 3, 11)) == {"PURCHASE": 3}
    bring_back(member, 100, day(2026, 3, 12), sku="CUP")
    assert figures_of(member, day(2026, 3, 13)) == {"PURCHASE": 2}
    assert tier_on(member, day(2026, 3, 13)) == "Blue"
    shop(member, 100, day(2026, 3, 14))
    assert tier_on(member, day(2026, 3, 14)) == "Silver"


def test_by_friends_brought():
    open_shop(thresholds=(0, 2), basis=Basis.REFERRALS)
    member, other = joined(START), joined(START)
    bring_friend(member, day(2026, 3, 1))
    bring_friend(other, day(2026, 3, 1))
    assert tier_on(member, day(2026, 3, 2)) == "Blue"
    bring_friend(member, day(2026, 3, 3))
    assert tier_on(member, day(2026, 3, 4)) == "Silver"


@pytest.mark.parametrize(
    ("joined_at", "at", "tier"),
    [
        (day(2025, 3, 10), day(2026, 3, 9), "Blue"),
        # The anniversary begins at local midnight.
        (day(2025, 3, 10), day(2026, 3, 10, 0), "Silver"),
        (day(2024, 2, 29), day(2025, 2, 27), "Blue"),
        (day(2024, 2, 29), day(2025, 2, 28, 0), "Silver"),
        (day(2024, 3, 10), day(2027, 3, 9), "Silver"),
        (day(2024, 3, 10), day(2027, 3, 10), "Gold"),
    ],
)
def test_by_months_since_joining(joined_at, at, tier):
    open_shop(thresholds=(0, 12, 36), basis=Basis.TENURE)
    assert tier_on(joined(joined_at), at) == tier


@pytest.mark.parametrize(
    ("combine", "purchases", "friends", "tier"),
    [
        ("ALL", 2, 0, "Blue"),
        ("ALL", 1, 1, "Blue"),
        ("ALL", 2, 1, "Silver"),
        ("ANY", 0, 1, "Silver"),
        ("ANY", 2, 0, "Silver"),
        ("ANY", 1, 0, "Blue"),
    ],
)
def test_a_tier_can_ask_for_several_things(combine, purchases, friends, tier):
    tier_set = open_shop(thresholds=(0, 200), combine=combine)
    Tier.objects.filter(tier_set=tier_set, rank=1).update(also_referrals=1, also_purchases=2)
    member = joined(START)
    for _ in range(purchases):
        shop(member, 100, day(2026, 3, 1))
    for _ in range(friends):
        bring_friend(member, day(2026, 3, 1))
    assert tier_on(member, day(2026, 3, 2)) == tier


def test_only_the_kind_of_points_that_the_set_names_counts():
    open_shop(thresholds=(0, 500), point_type=PointType.STATUS)
    member = joined(START)
    shop(member, 900, day(2026, 3, 1))
    assert tier_on(member, day(2026, 3, 2)) == "Blue"


def test_points_count_once_they_are_usable():
    """Locked points do not count until they are unlocked."""
    open_shop()
    member = joined(START)
    shop(member, 400, day(2026, 3, 1))
    late = shop(member, 100, day(2026, 3, 2))
    PointsLot.objects.filter(entry__purchase_id=late.purchase_id).update(available_from=day(2026, 3, 16))
    assert tier_on(member, day(2026, 3, 15)) == "Blue"
    assert tier_on(member, day(2026, 3, 16)) == "Silver"


def test_points_that_wait_for_an_event_do_not_count():
    open_shop()
    member = joined(START)
    late = shop(member, 500, day(2026, 3, 2))
    PointsLot.objects.filter(entry__purchase_id=late.purchase_id).update(available_from=None)
    assert tier_on(member, day(2026, 6, 1)) == "Blue"


def test_gifts_and_spending_change_nothing():
    """Redeeming never lowers a figure, and gifts never raise one."""
    open_shop()
    member = joined(START)
    shop(member, 499, day(2026, 3, 1))
    give(member, 5_000, at=day(2026, 3, 1))
    posting.spend(member_id=member.pk, points=300, key="s", reason="test", at=day(2026, 3, 2))
    assert figures_of(member, day(2026, 3, 3)) == {"POINTS": 499}


@pytest.mark.parametrize(
    ("window", "bought", "at", "tier"),
    [
        (Window.LIFETIME, day(2024, 2, 1), day(2026, 6, 1), "Silver"),
        (Window.YEAR, day(2026, 1, 1, 0), day(2026, 12, 31), "Silver"),
        (Window.YEAR, day(2025, 12, 31, 23), day(2026, 1, 1), "Blue"),
        (Window.HALF, day(2026, 1, 1), day(2026, 6, 30), "Silver"),
        (Window.HALF, day(2026, 6, 30), day(2026, 7, 1), "Blue"),
        (Window.QUARTER, day(2026, 1, 1), day(2026, 3, 31), "Silver"),
        (Window.QUARTER, day(2025, 12, 31), day(2026, 1, 1), "Blue"),
        (Window.MONTH, day(2026, 3, 1), day(2026, 3, 31), "Silver"),
        (Window.MONTH, day(2026, 3, 31), day(2026, 4, 1), "Blue"),
        (Window.MONTHS, day(2025, 3, 10), day(2026, 3, 10), "Silver"),
        (Window.MONTHS, day(2025, 3, 9), day(2026, 3, 10), "Blue"),
        (Window.DAYS, day(2026, 1, 30), day(2026, 3, 1), "Silver"),
        (Window.DAYS, day(2026, 1, 29), day(2026, 3, 1), "Blue"),
        # Joined on 29 February 2024: the year began on 28 February 2025.
        (Window.JOINED, day(2025, 2, 28, 0), day(2026, 2, 27), "Silver"),
        (Window.JOINED, day(2025, 2, 27), day(2025, 3, 1), "Blue"),
        (Window.JOINED, day(2024, 2, 29), day(2025, 2, 27), "Silver"),
    ],
)
def test_what_was_bought_in_the_window_counts(window, bought, at, tier):
    open_shop(window=window, window_days=30)
    member = joined(day(2024, 2, 29))
    shop(member, 500, bought)
    assert tier_on(member, at) == tier


def test_the_windows_of_two_members_are_their_own():
    open_shop(window=Window.JOINED)
    spring, autumn = joined(day(2024, 3, 10)), joined(day(2024, 9, 10))
    for member in (spring, autumn):
        shop(member, 500, day(2026, 6, 1))
    assert tier_on(spring, day(2026, 9, 9)) == "Silver"
    assert figures_of(autumn, day(2026, 9, 10)) == {"POINTS": 0}
    assert figures_of(spring, day(2026, 9, 10)) == {"POINTS": 500}


def test_a_year_since_the_tier_began_counts_from_that_day():
    open_shop(window=Window.TIER_START)
    member = joined(START)
    shop(member, 400, day(2025, 12, 1))
    shop(member, 500, day(2026, 3, 1))
    assert tier_on(member, day(2026, 3, 1)) == "Silver"
    # What came before the tier does not help to the next one; its own day does.
    assert figures_of(member, day(2026, 3, 2)) == {"POINTS": 500}


def test_a_day_of_joining_is_a_day_of_the_programmes_zone():
    set_programme(zone="Asia/Taipei")
    open_shop(window=Window.JOINED)
    # 16:00 UTC is midnight in Taipei: joined on 11 March there.
    member = joined(day(2024, 3, 10, 16))
    shop(member, 500, day(2026, 3, 10, 15))
    assert figures_of(member, day(2026, 3, 10, 15)) == {"POINTS": 500}
    assert figures_of(member, day(2026, 3, 10, 16)) == {"POINTS": 0}


def test_what_merged_members_did_counts_for_the_survivor():
    open_shop()
    loser, survivor = joined(START), joined(START)
    shop(loser, 300, day(2026, 3, 1))
    shop(survivor, 200, day(2026, 3, 1))
    loser.merged_into, loser.status = survivor, "MERGED"
    loser.save()
    assert tier_on(survivor, day(2026, 3, 2)) == "Silver"
    assert not Standing.objects.filter(member=loser).exists()
    assert progress(loser.pk, day(2026, 3, 2)) is None


@pytest.mark.parametrize("seed", range(4))
def test_the_statement_places_everybody_as_the_pure_rule_does(seed):
    chance = random.Random(seed)
    tier_set = open_shop(
        thresholds=(0, 300, 700, 1200), combine=chance.choice(["ALL", "ANY"]), window=chance.choice(Window.values)
    )
    for tier in tier_set.tiers.exclude(rank=0):
        tier.also_purchases = chance.choice([None, tier.rank * 2])
        tier.also_spend = chance.choice([None, tier.rank * 20_000])
        tier.also_referrals = chance.choice([None, tier.rank - 1])
        tier.also_tenure = chance.choice([None, tier.rank * 8])
        tier.save()
    at = day(2026, 6, 15)
    members = [make_member(joined_at=at - timedelta(days=chance.randrange(1000))) for _ in range(15)]
    for member in members:
        for _ in range(chance.randrange(7)):
            shop(member, chance.choice([50, 150, 300, 700]), at - timedelta(days=chance.randrange(700)))
        if chance.random() < 0.5:
            bring_friend(member, at - timedelta(days=chance.randrange(500)))
    recalculate(at=at)
    structure = structure_of(tier_set)
    for member in members:
        standing = Standing.objects.get(member=member, until_at=None)
        assert standing.tier.rank == reached(standing.figures, structure.ladder).rank, standing.figures

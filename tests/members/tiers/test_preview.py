"""A new version is looked at before it takes effect: who would rise, fall and stay."""

import random
from dataclasses import asdict
from datetime import timedelta

import pytest

from members.events.models import Event
from members.tiers import versions
from members.tiers.models import Standing, Tier, TierSet
from members.tiers.preview import preview_tier_set
from members.tiers.recalculation import recalculate
from members.tiers.standing import current_standing
from tests.factories import make_staff
from tests.members.tiers.shop import day, joined, open_shop, shop

pytestmark = [pytest.mark.django_db, pytest.mark.ledger_alone]

START, TODAY = day(2024, 1, 1), day(2026, 6, 1)


def copy_with(tier_set, boss, thresholds):
    copy = versions.copy_tier_set(tier_set_id=tier_set.pk, actor_id=boss.pk, reason="Test")
    for rank, threshold in enumerate(thresholds):
        Tier.objects.filter(tier_set=copy, rank=rank).update(threshold=threshold)
    return copy


def put_in_force(version, boss):
    versions.put_in_force(tier_set_id=version.pk, actor_id=boss.pk, reason="Test")


def members_with(*points):
    made = [joined(START) for _ in points]
    for member, earned in zip(made, points, strict=True):
        shop(member, earned, day(2026, 5, 1))
    recalculate(at=day(2026, 5, 2))
    return made


def test_a_preview_counts_who_rises_and_who_falls_at_the_end_of_the_term_and_writes_nothing():
    """Silver from 300 and Gold from 2000: who has 400 rises; the Gold ones with 1500 and 1999 keep it to their end."""
    old, boss = open_shop(), make_staff()
    members_with(0, 299, 400, 600, 1500, 1999, 2000)
    copy = copy_with(old, boss, (0, 300, 2000))
    before = (Standing.objects.count(), Event.objects.count())
    told = preview_tier_set(tier_set_id=copy.pk, at=TODAY)
    assert asdict(told) == {"rise": 1, "fall": 0, "stay": 6, "start": 0, "grace": 0, "fall_later": 2}
    assert (Standing.objects.count(), Event.objects.count()) == before


def test_members_keep_their_tier_to_its_end_when_the_tiers_are_edited():
    old, boss = open_shop(), make_staff()
    blue, gold = members_with(100, 1500)
    kept_until = current_standing(gold.pk).keep_until
    put_in_force(copy_with(old, boss, (0, 300, 2000)), boss)
    recalculate(at=TODAY)
    standing = current_standing(gold.pk)
    assert (standing.tier.tier_set, standing.tier.code, standing.keep_until) == (old, "gold", kept_until)
    # The lowest tier has no end: there the new version holds at once.
    assert current_standing(blue.pk).tier.tier_set.is_current
    recalculate(at=kept_until - timedelta(seconds=1))
    assert current_standing(gold.pk).tier.code == "gold"
    recalculate(at=kept_until)
    assert current_standing(gold.pk).tier.tier_set.is_current


def test_a_new_tier_between_two_moves_nobody_who_does_not_reach_it():
    """The tier of the same code is the same tier, whatever its rank is now."""
    old, boss = open_shop(), make_staff()
    silver, gold = members_with(600, 1500)
    copy = copy_with(old, boss, (0, 500, 1500))
    Tier.objects.filter(tier_set=copy, code="gold").update(rank=3)
    Tier.objects.create(tier_set=copy, code="pearl", name_en="Pearl", rank=2, threshold=1000)
    put_in_force(copy, boss)
    assert recalculate(at=TODAY)["up"] == 0
    shop(silver, 400, day(2026, 6, 2))
    assert recalculate(at=day(2026, 6, 3))["up"] == 1
    assert [current_standing(member.pk).tier.code for member in (silver, gold)] == ["pearl", "gold"]


@pytest.mark.parametrize("seed", range(4))
def test_putting_in_force_does_what_the_preview_said(seed):
    chance = random.Random(seed)
    old, boss = open_shop(keep=TierSet.Keep.DAYS, keep_days=20, window_months=1), make_staff()
    made = members_with(*(chance.choice([0, 100, 499, 500, 900, 1500, 2500]) for _ in range(25)))
    for member in chance.sample(made, 8):
        shop(member, chance.choice([100, 500]), day(2026, 5, 20))
    copy = copy_with(old, boss, (0, chance.choice([100, 300, 700]), chance.choice([1000, 2000])))
    TierSet.objects.filter(pk=copy.pk).update(grace_days=chance.choice([0, 10]), drop=chance.choice(["FULL", "ONE"]))
    told = preview_tier_set(tier_set_id=copy.pk, at=TODAY)
    put_in_force(copy, boss)
    done = recalculate(at=TODAY)
    assert (told.rise, told.fall, told.start, told.grace, told.stay) == (
        done["up"],
        done["down"],
        done["start"],
        done["grace"],
        done["unchanged"],
    )
    assert told.rise + told.fall + told.stay + told.start == len(made)

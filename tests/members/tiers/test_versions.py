"""A new version of the ladder takes the place of the old one at one moment."""

from datetime import timedelta
from functools import partial

import pytest

from members.events.models import Audit
from members.tiers import versions
from members.tiers.changes import recalculate_changed
from members.tiers.models import Tier, TierSet
from tests import factories
from tests.harness.races import run_together


@pytest.mark.django_db
def test_putting_in_force_twice_is_once():
    old, boss = factories.make_tiers(), factories.make_staff()
    copy = versions.copy_tier_set(tier_set_id=old.pk, actor_id=boss.pk, reason="Test")
    for _ in range(2):
        versions.put_in_force(tier_set_id=copy.pk, actor_id=boss.pk, reason="Test")
    assert list(TierSet.objects.filter(is_current=True)) == [copy]
    assert Audit.objects.filter(action="tier_set.in_force").count() == 1


@pytest.mark.parametrize(
    ("rungs", "is_one"),
    [
        ([(0, 0)], True),
        ([(0, 0), (1, 1)], True),
        ([], False),
        ([(0, 1)], False),
        ([(1, 0)], False),
        ([(0, 0), (2, 5)], False),
        ([(0, 0), (1, 5), (2, 5)], False),
    ],
)
def test_a_ladder_begins_at_nothing_and_rises(rungs, is_one):
    assert versions.is_ladder(rungs) is is_one


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_two_who_switch_at_once_both_succeed_and_one_set_is_in_force():
    old, boss = factories.make_tiers(), factories.make_staff()
    copies = [versions.copy_tier_set(tier_set_id=old.pk, actor_id=boss.pk, reason="Test") for _ in range(2)]
    results = run_together(
        [partial(versions.put_in_force, tier_set_id=copy.pk, actor_id=boss.pk, reason="Test") for copy in copies]
    )
    assert {type(result) for result in results} == {TierSet}, results
    assert TierSet.objects.filter(is_current=True).count() == 1


def plan(version, boss, at, now=None):
    return versions.put_in_force(tier_set_id=version.pk, actor_id=boss.pk, reason="Test", at=at, now=now)


@pytest.mark.django_db
def test_a_version_with_a_date_takes_effect_in_the_night_that_follows():
    old, boss = factories.make_tiers(), factories.make_staff()
    copy = versions.copy_tier_set(tier_set_id=old.pk, actor_id=boss.pk, reason="Test")
    at = factories.NOW + timedelta(days=3)
    assert plan(copy, boss, at, factories.NOW).planned_at == at
    plan(copy, boss, at, factories.NOW)
    assert Audit.objects.filter(action="tier_set.planned").count() == 1
    assert versions.activate_planned(at=at - timedelta(seconds=1)) is None
    assert TierSet.objects.get(is_current=True) == old
    recalculate_changed(at=at)
    now_in_force = TierSet.objects.get(is_current=True)
    assert (now_in_force, now_in_force.planned_at) == (copy, None)


@pytest.mark.django_db
def test_of_two_planned_versions_the_later_one_wins_and_a_plan_can_be_cancelled():
    old, boss = factories.make_tiers(), factories.make_staff()
    first, second, third = (
        versions.copy_tier_set(tier_set_id=old.pk, actor_id=boss.pk, reason="Test") for _ in range(3)
    )
    for days, version in enumerate((first, second, third), start=1):
        plan(version, boss, factories.NOW + timedelta(days=days), factories.NOW)
    for _ in range(2):
        versions.cancel_plan(tier_set_id=third.pk, actor_id=boss.pk, reason="Not yet")
    assert Audit.objects.filter(action="tier_set.plan_cancelled").count() == 1
    assert versions.activate_planned(at=factories.NOW + timedelta(days=9)) == second
    assert not TierSet.objects.exclude(planned_at=None).exists()


@pytest.mark.django_db
def test_a_copy_has_all_settings_and_tiers():
    old, boss = factories.make_tiers(window="QUARTER", keep="NEXT", grace_days=9, drop="ONE"), factories.make_staff()
    old.tiers.filter(rank=1).update(also_purchases=3, gift_points=20, is_never_lost=True)
    copy = versions.copy_tier_set(tier_set_id=old.pk, actor_id=boss.pk, reason="Test")
    own = {"id", "version", "is_current", "planned_at"}
    fields = [field.name for field in TierSet._meta.concrete_fields if field.name not in own]
    assert [getattr(copy, name) for name in fields] == [getattr(old, name) for name in fields]
    tiers = [field.name for field in Tier._meta.concrete_fields if field.name not in {"id", "tier_set"}]
    assert list(copy.tiers.values_list(*tiers)) == list(old.tiers.values_list(*tiers))

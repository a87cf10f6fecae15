"""A new version of the ladder takes the place of the old one at one moment."""

from functools import partial

import pytest

from members.events.models import Audit
from members.tiers import versions
from members.tiers.models import TierSet
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

"""Paid membership of two members who become one."""

from datetime import timedelta

import pytest

from members.accounts.merging import merge_members
from members.plans.models import Subscription
from members.tiers.models import Standing
from tests.factories import NOW, make_member, make_staff, make_tiers
from tests.members.plans.makers import make_plan, paid_subscription

pytestmark = pytest.mark.django_db


def merge(loser, survivor):
    return merge_members(
        loser_id=loser.pk,
        survivor_id=survivor.pk,
        actor_id=make_staff().pk,
        reason="two cards",
        at=NOW + timedelta(days=1),
    )


def test_the_survivor_carries_on_what_the_loser_paid_with_its_tier():
    make_tiers()
    loser, survivor = make_member(), make_member()
    paid = paid_subscription(make_plan(), NOW, loser)
    held = Standing.objects.get(member=loser, until_at=None)
    merge(loser, survivor)
    paid.refresh_from_db()
    assert (paid.member, paid.state) == (survivor, "ACTIVE")
    assert Standing.objects.get(member=survivor, until_at=None).tier == held.tier
    assert held.tier.rank > 0


def test_of_two_open_ones_that_of_the_loser_ends_with_its_refund():
    make_tiers()
    loser, survivor, plan = make_member(), make_member(), make_plan()
    lost, kept = paid_subscription(plan, NOW, loser), paid_subscription(plan, NOW, survivor)
    merge(loser, survivor)
    lost.refresh_from_db()
    kept.refresh_from_db()
    assert (lost.state, kept.state) == ("ENDED", "ACTIVE")
    assert lost.payments.get().refund_due > 0
    assert Subscription.objects.filter(member=survivor).count() == 2

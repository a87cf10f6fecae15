"""A redemption that a household pays together: everything or nothing."""

from functools import partial

import pytest
from django.utils import timezone

from members.households.joining import accept_invite, invite, start_household
from members.households.sharing import change_sharing
from members.ledger.models import PointsEntry
from members.ledger.pools import pooled_points
from members.ledger.statements import spendable_points
from rewards.redemption.fulfilment import cancel_redemption
from rewards.redemption.models import Redemption
from rewards.redemption.redeeming import NotAvailable, redeem
from tests.harness.races import only, run_together
from tests.rewards.factories import make_member, make_reward


def pair():
    both = make_member(points=100), make_member(points=50)
    start_household(member_id=both[0].pk, shares_points=True)
    made = invite(head_id=both[0].pk)
    accept_invite(member_id=both[1].pk, code=made.code, shares_points=True)
    return both


def left(*members):
    return [spendable_points(member.pk, timezone.now()) for member in members]


def take(member, reward):
    return redeem(member_id=member.pk, reward_id=reward.pk, key=f"key-of-{member.pk}")


@pytest.mark.django_db
def test_two_pay_a_reward_together():
    both = pair()
    redemption = take(both[1], make_reward(points=120))
    assert redemption.points == 120
    assert left(*both) == [30, 0]


@pytest.mark.django_db
def test_when_the_reward_is_gone_nobodys_points_move():
    both = pair()
    with pytest.raises(NotAvailable):
        take(both[1], make_reward(points=120, stock=None, is_unlimited=False))
    assert left(*both) == [100, 50]
    assert not PointsEntry.objects.filter(kind="TRANSFER").exists()


@pytest.mark.django_db
def test_a_cancelled_redemption_gives_the_points_back_to_who_had_helped():
    both = pair()
    done = take(both[1], make_reward(points=120))
    cancel_redemption(redemption_id=done.pk, by_seller=True, reason="Sold out", actor_id=None)
    assert left(*both) == [100, 50]
    cancel_redemption(redemption_id=done.pk, by_seller=True, reason="Sold out", actor_id=None)
    assert left(*both) == [100, 50]


@pytest.mark.django_db
def test_what_was_given_back_counts_against_no_monthly_limit():
    both = pair()
    change_sharing(member_id=both[0].pk, shares_points=True, monthly_limit=70)
    done = take(both[1], make_reward(points=120))
    assert pooled_points(both[1].pk, timezone.now()) == 0
    cancel_redemption(redemption_id=done.pk, by_seller=True, reason="Sold out", actor_id=None)
    assert pooled_points(both[1].pk, timezone.now()) == 120


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_of_two_who_redeem_the_last_points_of_the_household_at_once_one_gets_the_reward():
    for _turn in range(3):
        both, reward = pair(), make_reward(points=120)
        outcomes = run_together([partial(take, member, reward) for member in both])
        assert len(only(Redemption, outcomes)) == 1
        assert len(only(NotAvailable, outcomes)) == 1
        assert sum(left(*both)) == 30

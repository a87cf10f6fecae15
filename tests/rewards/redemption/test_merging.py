"""Redemptions of two members who become one."""

import pytest
from django.test import Client

from members.accounts.merging import merge_members
from members.events import readers
from members.ledger.statements import spendable_points
from rewards.redemption.fulfilment import cancel_redemption
from rewards.redemption.models import Redemption
from rewards.redemption.redeeming import NotAvailable, redeem
from tests.rewards.factories import NOON, make_login, make_member, make_reward

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def merged():
    """Return loser, survivor and what the loser had redeemed."""
    loser, survivor = make_member(points=150), make_member(user=make_login())
    done = redeem(member_id=loser.pk, reward_id=make_reward(limits={"EVER": 1}).pk, key="k" * 20, at=NOON)
    merge_members(loser_id=loser.pk, survivor_id=survivor.pk, actor_id=make_login().pk, reason="Same", at=NOON)
    return loser, survivor, done


def test_the_survivor_reads_what_the_loser_redeemed(client: Client, merged):
    _loser, survivor, done = merged
    client.force_login(survivor.user)
    assert done.reward.name_en in client.get("/wallet/").content.decode()
    assert client.get(f"/wallet/{done.public_id}/").status_code == 200


def test_what_the_loser_had_counts_against_the_survivors_limit(merged):
    _loser, survivor, done = merged
    with pytest.raises(NotAvailable):
        redeem(member_id=survivor.pk, reward_id=done.reward_id, key="s" * 20, at=NOON)


def test_a_cancelled_redemption_of_the_loser_gives_the_points_to_the_survivor(merged):
    loser, survivor, done = merged
    cancel_redemption(redemption_id=done.pk, by_seller=True, reason="Sold out", actor_id=None, at=NOON)
    readers.read_all()
    assert spendable_points(loser.pk, NOON) == 0
    assert spendable_points(survivor.pk, NOON) == 150


def test_a_merged_member_redeems_nothing(merged):
    loser, _survivor, done = merged
    with pytest.raises(NotAvailable):
        redeem(member_id=loser.pk, reward_id=done.reward_id, key="x" * 20, at=NOON)
    assert Redemption.objects.count() == 1

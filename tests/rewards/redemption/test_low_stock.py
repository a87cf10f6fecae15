"""Few left: told once a fall, in pieces and in codes."""

import pytest

from members.events.models import Event
from members.jobs.schedule import job_names
from rewards.redemption.low_stock import note_low_stock
from rewards.stock.movements import adjust_stock
from tests.rewards.factories import NOON, make_member, make_redemption, make_reward

pytestmark = pytest.mark.django_db


def change(reward, quantity):
    """Change the count."""
    adjust_stock(reward_id=reward.pk, quantity=quantity, reason="x", actor_id=None)


def test_each_fall_to_the_mark_is_told_once():
    reward = make_reward(stock=5, low_stock_at=3)
    steps = [(0, 0), (-2, 1), (-1, 0), (5, 0), (-4, 1)]
    for quantity, told in steps:
        if quantity:
            change(reward, quantity)
        assert note_low_stock(at=NOON) == told
    assert [event.data["left"] for event in Event.objects.filter(kind="reward.low_stock").order_by("pk")] == [3, 3]


def test_free_codes_count_where_codes_are_the_stock():
    reward = make_reward(stock=None, codes=["AAAA", "BBBB"], low_stock_at=1)
    assert note_low_stock(at=NOON) == 0
    make_redemption(member=make_member(points=100), reward=reward)
    assert note_low_stock(at=NOON) == 1


def test_without_a_mark_or_an_end_nothing_is_told():
    make_reward(stock=None, low_stock_at=5)
    make_reward(stock=1)
    assert note_low_stock(at=NOON) == 0
    assert "low-stock" in job_names()

"""Wishes: news once for each crossing, armed again afterwards, for many members in few queries."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from members.accounts.merging import merge_members
from members.events.models import Event
from members.households.joining import accept_invite, invite, start_household
from members.jobs.schedule import run_now
from members.ledger import posting
from members.ledger.holds import hold
from members.ledger.statements import spendable_of, spendable_points
from rewards.catalogue.models import Reward, RewardTierPrice
from rewards.stock.movements import adjust_stock
from rewards.wishes.models import Wish
from rewards.wishes.news import news_chunk
from rewards.wishes.wishing import add_wish, remove_wish, wished_among, wished_rewards
from tests.harness.races import run_together
from tests.rewards.factories import NOON, make_login, make_member, make_reward, make_tiers, stand

pytestmark = pytest.mark.django_db


def wish(member, reward, at=NOON):
    """Put a reward on a list."""
    add_wish(member_id=member.pk, reward_id=reward.pk, at=at)


def give(member, points, key):
    """Give points."""
    posting.grant(member_id=member.pk, points=points, key=key, reason="gift", at=NOON)


def stock(reward, quantity):
    """Change the stock."""
    adjust_stock(reward_id=reward.pk, quantity=quantity, reason="x", actor_id=None)


def news(at=NOON):
    """Run the job and return the kinds of the new events."""
    before = Event.objects.count()
    run_now(job="wish-news", at=at)
    return [event.kind for event in Event.objects.order_by("pk")[before:]]


def test_a_wish_stands_on_the_list_once_until_it_is_taken_off():
    member, reward, other = make_member(), make_reward(), make_reward()
    wish(member, reward)
    wish(member, reward)
    wish(member, other, at=NOON + timedelta(hours=1))
    assert wished_rewards(member_id=member.pk, at=NOON) == [other, reward]
    assert wished_among(member_id=member.pk, reward_ids=[reward.pk]) == {reward.pk}
    remove_wish(member_id=member.pk, reward_id=reward.pk)
    remove_wish(member_id=member.pk, reward_id=reward.pk)
    assert wished_rewards(member_id=member.pk, at=NOON) == [other]


def test_what_nobody_sees_cannot_be_wished_for():
    with pytest.raises(Reward.DoesNotExist):
        wish(make_member(), make_reward(is_active=False))
    assert not Wish.objects.exists()


def test_what_was_so_at_the_beginning_is_no_news():
    wish(make_member(points=100), make_reward())
    assert news() == []


@pytest.mark.ledger_alone
def test_becoming_affordable_is_told_once_and_again_after_it_stopped_being_so():
    member = make_member(points=40)
    wish(member, make_reward())
    assert news() == []
    give(member, 60, "a")
    assert news() == ["wish.affordable"]
    assert news() == []
    posting.spend(member_id=member.pk, points=60, key="spent", reason="x", at=NOON)
    assert news() == []
    give(member, 60, "b")
    assert news() == ["wish.affordable"]


def test_back_in_stock_is_told_once_and_again_after_it_was_sold_out():
    member, reward = make_member(), make_reward(stock=1)
    wish(member, reward)
    stock(reward, -1)
    assert news() == []
    stock(reward, 5)
    assert news() == ["wish.back_in_stock"]
    assert news() == []
    stock(reward, -5)
    assert news() == []
    stock(reward, 1)
    assert news() == ["wish.back_in_stock"]


def test_an_offer_that_begins_is_told_as_available():
    member = make_member(points=500)
    wish(member, make_reward(offered_from=NOON + timedelta(days=1)))
    assert news() == []
    assert sorted(news(NOON + timedelta(days=1))) == ["wish.affordable", "wish.back_in_stock"]


def test_tier_and_segment_must_let_the_member_have_it():
    _basic, gold = make_tiers()
    member, reward = make_member(points=500), make_reward(minimum_tier=gold)
    wish(member, reward)
    wish(member, make_reward(segment="vip"))
    assert news() == []
    stand(member, gold)
    assert news() == ["wish.affordable"]


def test_the_price_of_the_own_tier_decides():
    _basic, gold = make_tiers()
    member, reward = make_member(points=50), make_reward()
    RewardTierPrice.objects.create(reward=reward, tier=gold, points=50)
    wish(member, reward)
    stand(member, gold)
    assert news() == ["wish.affordable"]


def test_points_of_the_household_count():
    member, other = make_member(points=10), make_member(points=90)
    start_household(member_id=member.pk, shares_points=True)
    wish(member, make_reward())
    assert news() == []
    accept_invite(member_id=other.pk, code=invite(head_id=member.pk).code, shares_points=True)
    assert "wish.affordable" in news()


def test_the_event_names_wish_and_reward():
    member, reward = make_member(), make_reward()
    wish(member, reward)
    give(member, 100, "a")
    news()
    event = Event.objects.get(kind="wish.affordable")
    assert (event.member_id, event.data) == (member.pk, {"wish": Wish.objects.get().pk, "reward": reward.pk})


def test_the_queries_do_not_grow_with_wishes_and_members():
    def cost(count):
        for _number in range(count):
            member = make_member(points=100)
            for reward in rewards:
                wish(member, reward)
        with CaptureQueriesContext(connection) as seen:
            news_chunk(at=NOON)
        return len(seen)

    rewards = [make_reward(name_en=str(number)) for number in range(3)]
    assert cost(2) == cost(20) <= 16


def test_ranges_of_members_are_gone_through_one_after_the_other(monkeypatch):
    monkeypatch.setattr("rewards.wishes.news.MEMBERS", 2)
    reward = make_reward()
    members = [make_member() for _ in range(5)]
    for number, member in enumerate(members):
        wish(member, reward)
        give(member, 100, f"g{number}")
    assert news() == ["wish.affordable"] * 5


def test_a_merge_joins_the_lists():
    loser, survivor, both, one = make_member(), make_member(), make_reward(), make_reward()
    for member, reward in [(loser, both), (loser, one), (survivor, both)]:
        wish(member, reward)
    merge_members(loser_id=loser.pk, survivor_id=survivor.pk, actor_id=make_login().pk, reason="Same", at=NOON)
    assert set(wished_rewards(member_id=survivor.pk, at=NOON)) == {both, one}
    assert not Wish.objects.filter(member=loser).exists()


def test_the_sum_over_many_members_agrees_with_each_alone():
    members = [make_member(points=10 * number) for number in range(4)]
    posting.grant(
        member_id=members[1].pk, points=7, key="gone", reason="x", at=NOON, expires_at=NOON + timedelta(hours=1)
    )
    hold(member_id=members[3].pk, points=25, key="h" * 20, reason="x", at=NOON, expires_at=NOON + timedelta(hours=1))
    for at in (NOON, NOON + timedelta(minutes=59), NOON + timedelta(hours=2), NOON - timedelta(days=1)):
        alone = {member.pk: spendable_points(member.pk, at) for member in members}
        together = spendable_of([member.pk for member in members], at)
        assert {pk: together.get(pk, 0) for pk in alone} == alone


@pytest.mark.django_db(transaction=True)
def test_two_runs_at_once_tell_once():
    member = make_member()
    wish(member, make_reward())
    give(member, 100, "a")
    run_together([lambda: news_chunk(at=NOON) for _ in range(4)])
    assert Event.objects.filter(kind="wish.affordable").count() == 1

"""Redeeming: points, code, redemption and stock together, once per key."""

from datetime import UTC, date, datetime, timedelta

import pytest
from django.utils.translation import override

from members.accounts.models import Member
from members.earning.explanation import explain
from members.events.models import Event
from members.ledger.statements import spendable_points
from members.models import PointsEntry
from rewards.catalogue.availability import Why
from rewards.codes.models import Code
from rewards.redemption import redeeming
from rewards.redemption.models import Redemption
from rewards.redemption.redeeming import KeyAlreadyUsed, NotAvailable, redeem
from rewards.stock.models import RewardStock, StockMovement
from rewards.stock.movements import SoldOut
from tests.rewards.factories import NOON, make_member, make_redemption, make_reward, make_tiers, stand

pytestmark = pytest.mark.django_db


def reasons(member, reward, **options):
    """Return why the member cannot have the reward."""
    with pytest.raises(NotAvailable) as refused:
        redeem(member_id=member.pk, reward_id=reward.pk, key="refused", at=options.pop("at", NOON), **options)
    return [reason.why for reason in refused.value.reasons]


def nothing_happened(member, points):
    """Tell whether a refusal left the member's points and the tables alone."""
    return spendable_points(member.pk, NOON) == points and not Redemption.objects.exists()


def test_takes_points_stock_and_gives_a_code():
    member, reward = make_member(points=250), make_reward(stock=3)
    redemption = make_redemption(member=member, reward=reward)
    assert spendable_points(member.pk, NOON) == 150
    assert RewardStock.objects.get(reward=reward).on_hand == 2
    assert len(redemption.code) == 18
    assert (redemption.points, redemption.state, redemption.entry.points) == (100, "CAPTURED", -100)


def test_writes_one_event_with_ids_and_numbers():
    member, reward = make_member(points=100), make_reward()
    redemption = make_redemption(member=member, reward=reward)
    event = Event.objects.get(kind="reward.redeemed")
    assert event.data == {"redemption": redemption.pk, "reward": reward.pk, "points": 100}
    assert event.member_id == member.pk


def test_the_same_key_returns_the_same_redemption_and_takes_points_once():
    member, reward = make_member(points=500), make_reward()
    first = make_redemption(member=member, reward=reward, key="one")
    assert make_redemption(member=member, reward=reward, key="one") == first
    assert spendable_points(member.pk, NOON) == 400


def test_a_repeat_is_answered_even_when_nothing_is_left():
    member, reward = make_member(points=100), make_reward(stock=1)
    first = make_redemption(member=member, reward=reward, key="one")
    assert make_redemption(member=member, reward=reward, key="one") == first


def test_the_same_key_of_another_member_is_another_redemption():
    reward = make_reward()
    first, second = (make_redemption(member=make_member(points=100), reward=reward, key="k") for _ in range(2))
    assert first.pk != second.pk


def test_a_key_cannot_be_used_for_another_reward():
    member = make_member(points=500)
    make_redemption(member=member, reward=make_reward(), key="one")
    with pytest.raises(KeyAlreadyUsed):
        make_redemption(member=member, reward=make_reward(), key="one")


def test_refuses_when_points_are_missing_and_says_how_many():
    member, reward = make_member(points=60), make_reward()
    with pytest.raises(NotAvailable) as refused:
        make_redemption(member=member, reward=reward)
    assert refused.value.reasons[0].figures == {"needed": 100, "spendable": 60, "missing": 40}
    assert nothing_happened(member, 60)


def test_refuses_what_is_sold_out():
    member, reward = make_member(points=100), make_reward(stock=None, is_unlimited=False)
    assert reasons(member, reward) == [Why.SOLD_OUT]
    assert nothing_happened(member, 100)


def test_leaves_nothing_behind_when_the_last_step_finds_the_stock_gone(monkeypatch):
    member, reward = make_member(points=100), make_reward(codes=["CODE-1"])

    def gone(**_ignored):
        raise SoldOut

    monkeypatch.setattr(redeeming, "take_one", gone)
    assert reasons(member, reward) == [Why.SOLD_OUT]
    assert nothing_happened(member, 100)
    assert Code.objects.get().state == "FREE"
    assert not Event.objects.filter(kind="reward.redeemed").exists()


def test_refuses_a_closed_member():
    member, reward = make_member(points=100), make_reward()
    Member.objects.filter(pk=member.pk).update(status="CLOSED")
    assert reasons(member, reward) == [Why.MEMBER_CLOSED]


def test_refuses_before_and_after_the_offer():
    member = make_member(points=100)
    early = make_reward(offered_from=NOON + timedelta(seconds=1))
    late = make_reward(offered_until=NOON)
    assert reasons(member, early) == [Why.NOT_YET]
    assert reasons(member, late) == [Why.OVER]


def test_refuses_what_is_switched_off():
    assert reasons(make_member(points=100), make_reward(is_active=False)) == [Why.NOT_OFFERED]


def test_refuses_another_price_than_the_member_saw():
    member, reward = make_member(points=100), make_reward()
    assert reasons(member, reward, price_seen=90) == [Why.PRICE_CHANGED]


def test_a_tier_only_reward_is_for_that_rank_and_above():
    basic, gold = make_tiers()
    member, reward = make_member(points=100), make_reward(minimum_tier=gold)
    stand(member, basic)
    assert reasons(member, reward) == [Why.TIER]
    stand(member, gold)
    assert make_redemption(member=member, reward=reward).state == "CAPTURED"


def test_a_limit_for_ever_counts_every_redemption_but_cancelled_ones():
    member, reward = make_member(points=500), make_reward(limits={"EVER": 1})
    first = make_redemption(member=member, reward=reward)
    assert reasons(member, reward) == [Why.LIMIT_REACHED]
    redeeming_is_open_again_after_cancelling(first)
    assert make_redemption(member=member, reward=reward, key="k2").pk != first.pk


def redeeming_is_open_again_after_cancelling(redemption):
    """Cancel the redemption."""
    from rewards.redemption.fulfilment import cancel_redemption

    cancel_redemption(redemption_id=redemption.pk, by_seller=True, reason="broken", actor_id=None, at=NOON)


def test_a_monthly_limit_starts_anew_with_the_month_of_the_programme():
    member, reward = make_member(points=500), make_reward(limits={"MONTH": 1})
    last_minute = datetime(2026, 3, 31, 22, 59, tzinfo=UTC)
    make_redemption(member=member, reward=reward, at=last_minute)
    # London is on summer time: 23:00 UTC is 1 April there.
    assert reasons(member, reward, at=last_minute - timedelta(minutes=1)) == [Why.LIMIT_REACHED]
    assert make_redemption(member=member, reward=reward, key="k2", at=last_minute + timedelta(minutes=1))


def test_one_members_limit_does_not_touch_another():
    reward = make_reward(limits={"EVER": 1})
    make_redemption(member=make_member(points=100), reward=reward)
    assert make_redemption(member=make_member(points=100), reward=reward)


def test_the_last_day_of_a_code_counts_in_full():
    member, reward = make_member(points=100), make_reward(valid_days=30)
    redemption = make_redemption(member=member, reward=reward, at=datetime(2026, 3, 10, 23, 30, tzinfo=UTC))
    assert redemption.last_day == date(2026, 4, 9)
    assert redemption.valid_until == datetime(2026, 4, 9, 23, tzinfo=UTC)


def test_a_pool_gives_its_oldest_code_and_it_is_given_for_ever():
    member, reward = make_member(points=300), make_reward(stock=None, codes=["AAAA", "BBBB"])
    codes = [make_redemption(member=member, reward=reward, key=key).code for key in ("one", "two")]
    assert codes == ["AAAA", "BBBB"]
    assert reasons(member, reward) == [Why.NO_CODES]


def test_an_unlimited_reward_touches_no_stock():
    make_redemption(member=make_member(points=100), reward=make_reward(stock=None))
    assert not StockMovement.objects.exists()


def test_a_donation_is_done_at_once_and_has_no_code():
    redemption = make_redemption(member=make_member(points=100), reward=make_reward(kind="donation"))
    assert (redemption.state, redemption.code, redemption.fulfilled_at) == ("FULFILLED", "", NOON)


def test_names_every_reason_at_once():
    _basic, gold = make_tiers()
    reward = make_reward(stock=None, is_unlimited=False, minimum_tier=gold)
    assert reasons(make_member(points=0), reward) == [Why.TIER, Why.SOLD_OUT, Why.POINTS_MISSING]


def test_the_entry_explains_itself_in_every_language():
    make_redemption(member=make_member(points=100), reward=make_reward(name_zh_hant="咖啡"))
    entry = PointsEntry.objects.get(kind="REDEEM")
    assert entry.breakdown["names"] == {"en": "Coffee", "zh-hans": "Coffee", "zh-hant": "咖啡"}


def test_the_entry_names_the_reward_in_the_readers_language():
    reward = make_reward(name_en="Pot of tea", name_zh_hant="一壺茶", points=100)
    entry = redeem(member_id=make_member(points=100).pk, reward_id=reward.pk, key="k").entry
    with override("zh-hant"):
        assert explain(entry) == ["一壺茶"]
    with override("zh-hans"):
        assert explain(entry) == ["Pot of tea"]


@pytest.mark.postgres
def test_a_redemption_takes_few_statements(django_assert_max_num_queries):
    member, reward = make_member(points=1000), make_reward()
    make_redemption(member=member, reward=reward, key="first")
    # Household, lock, member, clock, reward, spending, redemption, clock, event, piece; and the test's savepoint.
    with django_assert_max_num_queries(12):
        make_redemption(member=member, reward=reward, key="second")

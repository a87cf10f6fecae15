"""Rewards given for no points: once, within stock, codes and limits; and whose wallet shows what."""

import pytest
from django.db import connection

from members.accounts.models import Member
from members.ledger.statements import spendable_points
from members.models import PointsEntry
from rewards.catalogue.availability import Why
from rewards.redemption.fulfilment import NotPossible, cancel_redemption, mark_used, refund_redemption
from rewards.redemption.models import Redemption
from rewards.redemption.redeeming import KeyAlreadyUsed, NotAvailable, give_reward
from rewards.redemption.refusals import Refusal
from rewards.stock.models import RewardStock
from tests.rewards.factories import NOON, make_member, make_redemption, make_reward

pytestmark = pytest.mark.django_db


def give(member, reward, key="g1", source=Redemption.Source.SENT):
    """Give a reward for nothing."""
    return give_reward(member_id=member.pk, reward_id=reward.pk, key=key, source=source, at=NOON)


def reasons(member, reward, key="refused"):
    """Return why it cannot be given."""
    with pytest.raises(NotAvailable) as refused:
        give(member, reward, key)
    return [reason.why for reason in refused.value.reasons]


def test_a_gift_costs_no_points_and_takes_piece_and_code():
    member, reward = make_member(points=100), make_reward(stock=2, codes=["CODE-1"])
    given = give(member, reward)
    assert (given.points, given.entry, given.state, given.code, given.source) == (0, None, "CAPTURED", "CODE-1", "SENT")
    assert spendable_points(member.pk, NOON) == 100
    assert RewardStock.objects.get().on_hand == 1
    assert not PointsEntry.objects.filter(kind="REDEEM").exists()


def test_once_per_key():
    member, reward = make_member(), make_reward(stock=2)
    assert give(member, reward) == give(member, reward)
    with pytest.raises(KeyAlreadyUsed):
        give(member, make_reward())
    assert RewardStock.objects.get(reward=reward).on_hand == 1


def test_a_gift_obeys_stock_codes_limits_and_a_closed_membership():
    member = make_member()
    assert reasons(member, make_reward(stock=None, is_unlimited=False)) == [Why.SOLD_OUT]
    assert reasons(member, make_reward(stock=None, needs_code_pool=True)) == [Why.NO_CODES]
    limited = make_reward(limits={"EVER": 1})
    give(member, limited)
    assert reasons(member, limited) == [Why.LIMIT_REACHED]
    Member.objects.filter(pk=member.pk).update(status="CLOSED")
    assert reasons(member, make_reward()) == [Why.MEMBER_CLOSED]


def test_price_dates_and_money_do_not_stand_in_the_way():
    reward = make_reward(is_active=False, offered_until=NOON, points=9999, money_price=500)
    assert give(make_member(), reward).state == "CAPTURED"


def test_a_gift_is_used_and_cancelled_like_any_other():
    member, reward = make_member(), make_reward(stock=2)
    first, second = give(member, reward, "one"), give(member, reward, "two")
    assert mark_used(redemption_id=first.pk, actor_id=None, at=NOON).state == "FULFILLED"
    cancel_redemption(redemption_id=second.pk, by_seller=True, reason="x", actor_id=None, at=NOON)
    assert RewardStock.objects.get().on_hand == 1
    with pytest.raises(NotPossible) as refused:
        refund_redemption(redemption_id=first.pk, reason="x", actor_id=None, by_seller=True, at=NOON)
    assert refused.value.refused.why == Refusal.NO_POINTS


def test_the_wallet_shows_what_a_member_holds_and_limits_count_what_was_taken():
    giver, friend = make_member(points=300), make_member()
    reward = make_reward()
    kept, passed = (make_redemption(member=giver, reward=reward, key=key) for key in ("kept", "passed"))
    Redemption.objects.filter(pk=passed.pk).update(holder=friend)
    assert set(Redemption.objects.of_member(giver.pk)) == {kept}
    assert set(Redemption.objects.of_member(friend.pk)) == {passed}
    assert set(Redemption.objects.taken_by(giver.pk)) == {kept, passed}
    assert not Redemption.objects.taken_by(friend.pk).exists()


@pytest.mark.postgres
def test_the_wallet_is_read_by_index():
    member = make_member()
    with connection.cursor() as cursor:
        cursor.execute("SET enable_seqscan = off")
        plan = Redemption.objects.of_member(member.pk).order_by("-pk").explain()
        cursor.execute("SET enable_seqscan = on")
    assert "BitmapOr" in plan
    assert "redemption_holder" in plan

"""Passing a coupon on: one link, one taker, a new code, taken back until it is taken."""

from datetime import timedelta

import pytest

from members.events.models import Event
from rewards.coupons.models import Present
from rewards.coupons.presents import (
    CannotPassOn,
    LinkOver,
    OwnLink,
    pass_on,
    take_present,
    waiting_present,
    withdraw,
)
from rewards.redemption.fulfilment import mark_used
from rewards.redemption.models import Redemption
from tests.rewards.coupons.making import make_coupon, make_present
from tests.rewards.factories import NOON, make_member, make_redemption, make_reward

pytestmark = pytest.mark.django_db


def test_the_taker_holds_the_coupon_with_a_new_code_and_the_giver_no_more():
    coupon, friend = make_coupon(), make_member()
    present, token = make_present(coupon)
    taken = take_present(token=token, member_id=friend.pk, at=NOON)
    assert (taken.holder, taken.member, taken.state) == (friend, coupon.member, "CAPTURED")
    assert taken.code not in ("", coupon.code)
    assert list(Redemption.objects.of_member(friend.pk)) == [taken]
    assert not Redemption.objects.of_member(coupon.member_id).exists()
    present.refresh_from_db()
    assert (present.state, present.taker) == ("TAKEN", friend)
    event = Event.objects.get(kind="redemption.passed_on")
    assert event.data == {"redemption": coupon.pk, "holder": friend.pk}


def test_the_token_is_kept_as_a_hash_only():
    present, token = make_present()
    assert token not in str(Present.objects.filter(pk=present.pk).values())


def test_a_repeat_by_the_taker_is_the_same_and_by_another_too_late():
    _present, token = make_present()
    friend = make_member()
    first = take_present(token=token, member_id=friend.pk, at=NOON)
    assert take_present(token=token, member_id=friend.pk, at=NOON).code == first.code
    with pytest.raises(LinkOver):
        take_present(token=token, member_id=make_member().pk, at=NOON)


def test_nobody_takes_their_own_present():
    present, token = make_present()
    with pytest.raises(OwnLink):
        take_present(token=token, member_id=present.giver_id, at=NOON)


def test_a_new_link_ends_the_one_before_and_taking_back_ends_all():
    coupon, friend = make_coupon(), make_member()
    _first, old = make_present(coupon)
    _second, new = make_present(coupon)
    with pytest.raises(LinkOver):
        take_present(token=old, member_id=friend.pk, at=NOON)
    assert waiting_present(new, NOON).redemption == coupon
    assert withdraw(redemption_id=coupon.pk, member_id=coupon.member_id, at=NOON)
    assert not withdraw(redemption_id=coupon.pk, member_id=coupon.member_id, at=NOON)
    with pytest.raises(LinkOver):
        take_present(token=new, member_id=friend.pk, at=NOON)


def test_only_the_giver_takes_it_back():
    present, _token = make_present()
    assert not withdraw(redemption_id=present.redemption_id, member_id=make_member().pk, at=NOON)


def test_the_link_ends_after_fourteen_days_or_with_the_coupon():
    present, token = make_present()
    with pytest.raises(LinkOver):
        take_present(token=token, member_id=make_member().pk, at=NOON + timedelta(days=14))
    assert take_present(token=token, member_id=make_member().pk, at=NOON + timedelta(days=13))
    short, _token = make_present(make_coupon(reward=make_reward(stock=None, is_giftable=True, valid_days=1)))
    assert short.expires_at == short.redemption.valid_until < present.expires_at


def test_a_coupon_that_was_used_meanwhile_is_not_taken():
    present, token = make_present()
    friend = make_member()
    mark_used(redemption_id=present.redemption_id, actor_id=None, at=NOON)
    for call in (lambda: waiting_present(token, NOON), lambda: take_present(token=token, member_id=friend.pk, at=NOON)):
        with pytest.raises(LinkOver):
            call()


def test_what_may_not_be_passed_on():
    member, friend = make_member(points=500), make_member()
    plain = make_redemption(member=member, reward=make_reward(stock=None), key="plain")
    pooled = make_redemption(member=member, reward=make_reward(stock=None, codes=["CODE-1"], is_giftable=True), key="p")
    given, token = make_present()
    take_present(token=token, member_id=friend.pk, at=NOON)
    tries = [(plain, member), (pooled, member), (given.redemption, friend), (make_coupon(), member)]
    for coupon, who in tries:
        with pytest.raises(CannotPassOn):
            pass_on(redemption_id=coupon.pk, member_id=who.pk, at=NOON)

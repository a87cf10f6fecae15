"""Codes that many members type: so many times in all, so often each, counted with what they give."""

from functools import partial

import pytest

from members.accounts.merging import merge_members
from rewards.codes.models import Code
from rewards.codes.shared import CodeTaken, NotACode, UnknownCode, UsedUp, make_shared_code
from rewards.redemption.claiming import claim_by_code
from rewards.redemption.models import Redemption
from rewards.redemption.redeeming import KeyAlreadyUsed, NotAvailable
from rewards.stock.models import RewardStock
from tests.harness.races import only, run_together
from tests.rewards.factories import NOON, make_login, make_member, make_reward

pytestmark = pytest.mark.django_db


def make_code(reward=None, *, code="SUMMER", uses=5, each=1):
    """Return a shared code."""
    reward = reward or make_reward(stock=9)
    return make_shared_code(
        reward_id=reward.pk, code=code, uses_allowed=uses, uses_per_member=each, actor_id=make_login().pk
    )


def claim(member, typed="SUMMER", key="k"):
    """Type a code."""
    return claim_by_code(member_id=member.pk, typed=typed, key=key, at=NOON)


def test_a_typed_code_gives_its_reward_and_counts_once_per_key():
    code, member = make_code(), make_member()
    first = claim(member, "summer ")
    assert claim(member) == first
    assert (first.source, first.points, first.reward) == ("CLAIMED", 0, code.reward)
    assert first.code not in ("", "SUMMER")
    code.refresh_from_db()
    assert code.uses == 1


def test_each_member_so_often_and_all_so_many_times():
    make_code(uses=3, each=2)
    member = make_member()
    claim(member, key="one")
    claim(member, key="two")
    with pytest.raises(UsedUp) as refused:
        claim(member, key="three")
    assert refused.value.by_member
    claim(make_member())
    with pytest.raises(UsedUp) as refused:
        claim(make_member())
    assert not refused.value.by_member
    assert RewardStock.objects.get().on_hand == 6


def test_what_a_merged_member_used_counts_for_the_survivor():
    make_code()
    loser, survivor = make_member(), make_member()
    claim(loser)
    merge_members(loser_id=loser.pk, survivor_id=survivor.pk, actor_id=make_login().pk, reason="Same", at=NOON)
    with pytest.raises(UsedUp):
        claim(survivor)


def test_a_reward_that_cannot_be_had_uses_nothing():
    code = make_code(make_reward(stock=None, is_unlimited=False))
    with pytest.raises(NotAvailable):
        claim(make_member())
    code.refresh_from_db()
    assert code.uses == 0


def test_unknown_taken_and_unreadable_codes_are_refused():
    make_code()
    with pytest.raises(UnknownCode):
        claim(make_member(), "WINTER")
    with pytest.raises(CodeTaken):
        make_code(code="sum-mer")
    with pytest.raises(NotACode):
        make_code(code="abc")
    with pytest.raises(UnknownCode):
        claim(make_member(), make_reward(codes=["POOL-1"]).codes.get().code)


def test_a_key_is_for_one_reward():
    make_code()
    make_code(code="WINTER")
    member = make_member()
    claim(member)
    with pytest.raises(KeyAlreadyUsed):
        claim(member, "WINTER")


@pytest.mark.django_db(transaction=True)
def test_twenty_members_for_the_last_five_uses():
    make_code(make_reward(stock=None), uses=5)
    results = run_together([partial(claim, make_member()) for _ in range(20)])
    assert len(only(Redemption, results)) == Code.objects.get().uses == 5
    assert len(only(UsedUp, results)) == 15


@pytest.mark.django_db(transaction=True)
def test_ten_clicks_of_one_member_are_one_use():
    make_code(make_reward(stock=None), uses=50)
    member = make_member()
    results = run_together([partial(claim, member, key=str(number)) for number in range(10)])
    assert len(only(Redemption, results)) == Code.objects.get().uses == 1

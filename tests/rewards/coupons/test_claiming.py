"""Giveaways and typed codes: windows, gates, limits, wrong codes, conditions in words."""

from datetime import timedelta

import pytest
from django.utils import translation

from members.accounts.merging import merge_members
from members.accounts.models import SegmentMembership, Store
from rewards.codes.shared import UnknownCode, make_shared_code
from rewards.coupons.claiming import (
    NotClaimable,
    TooManyWrongCodes,
    WhyNot,
    claim_centre,
    claim_giveaway,
    type_code,
)
from rewards.coupons.conditions import conditions_of
from rewards.coupons.models import CodeTries, GiveawayClaim
from rewards.redemption.models import Redemption
from rewards.redemption.redeeming import KeyAlreadyUsed, NotAvailable
from rewards.stock.models import RewardStock
from tests.rewards.coupons.making import make_giveaway
from tests.rewards.factories import NOON, make_login, make_member, make_reward, make_tiers, stand

pytestmark = pytest.mark.django_db


def claim(member, giveaway, key="k", at=NOON):
    """Claim a piece."""
    return claim_giveaway(member_id=member.pk, giveaway_id=giveaway.pk, key=key, at=at)


def refused(member, giveaway, **options):
    """Return why a claim is refused."""
    with pytest.raises(NotClaimable) as problem:
        claim(member, giveaway, **options)
    return problem.value.why


def test_a_claim_gives_the_reward_for_no_points_and_a_repeat_the_same():
    member, giveaway = make_member(), make_giveaway(total=3)
    first = claim(member, giveaway)
    assert (first.source, first.points, claim(member, giveaway)) == ("CLAIMED", 0, first)
    giveaway.refresh_from_db()
    assert giveaway.claimed == GiveawayClaim.objects.count() == 1


def test_a_key_of_another_reward_is_refused():
    member = make_member()
    claim(member, make_giveaway())
    with pytest.raises(KeyAlreadyUsed):
        claim(member, make_giveaway())


def test_it_opens_at_its_first_instant_and_closes_at_its_last():
    giveaway, second = make_giveaway(per_member=9), timedelta(microseconds=1)
    member = make_member()
    assert refused(member, giveaway, at=giveaway.opens_at - second) == WhyNot.NOT_OPEN
    assert claim(member, giveaway, key="first", at=giveaway.opens_at)
    assert claim(member, giveaway, key="last", at=giveaway.closes_at - second)
    assert refused(member, giveaway, key="late", at=giveaway.closes_at) == WhyNot.OVER


def test_the_limit_of_a_member_counts_what_was_merged_into_them():
    loser, member, giveaway = make_member(), make_member(user=make_login()), make_giveaway(per_member=2)
    claim(loser, giveaway, key="a")
    merge_members(loser_id=loser.pk, survivor_id=member.pk, actor_id=make_login().pk, reason="Same", at=NOON)
    claim(member, giveaway, key="b")
    assert refused(member, giveaway, key="c") == WhyNot.TAKEN


def test_the_total_is_never_passed_and_leaves_nothing_behind():
    giveaway = make_giveaway(make_reward(stock=5), total=1)
    claim(make_member(), giveaway)
    assert refused(make_member(), giveaway) == WhyNot.ALL_GONE
    assert RewardStock.objects.get().on_hand == 4


def test_stock_counts_beside_the_total():
    giveaway = make_giveaway(make_reward(stock=1), total=5)
    claim(make_member(), giveaway)
    with pytest.raises(NotAvailable):
        claim(make_member(), giveaway)
    giveaway.refresh_from_db()
    assert giveaway.claimed == 1


def test_tier_and_segment_gates():
    basic, gold = make_tiers()
    member = make_member()
    stand(member, basic)
    for_gold, for_vips = make_giveaway(minimum_tier=gold), make_giveaway(segment="vip")
    assert refused(member, for_gold) == WhyNot.TIER
    assert refused(member, for_vips) == WhyNot.SEGMENT
    assert [chance.why_not for chance in claim_centre(member_id=member.pk, at=NOON)] == [WhyNot.TIER]
    stand(member, gold)
    SegmentMembership.objects.create(segment="vip", member=member, since=NOON)
    assert claim(member, for_gold, key="a")
    assert claim(member, for_vips, key="b")


def test_the_claim_centre_shows_what_is_open_and_what_one_has():
    member, mine = make_member(), make_giveaway()
    make_giveaway(is_active=False)
    make_giveaway(closes_at=NOON)
    claim(member, mine)
    (chance,) = claim_centre(member_id=member.pk, at=NOON)
    assert (chance.giveaway, chance.why_not) == (mine, WhyNot.TAKEN)


def campaign_code():
    """Return the word of a campaign."""
    reward = make_reward(stock=None)
    make_shared_code(reward_id=reward.pk, code="SPRING", uses_allowed=5, actor_id=None)
    return "spring "


def test_a_typed_code_gives_its_reward_and_wrong_ones_are_stopped_for_an_hour():
    member, word = make_member(), campaign_code()
    for _try in range(10):
        with pytest.raises(UnknownCode):
            type_code(member_id=member.pk, typed="WRONG", key="k", at=NOON)
    with pytest.raises(TooManyWrongCodes):
        type_code(member_id=member.pk, typed=word, key="k", at=NOON + timedelta(minutes=59))
    assert type_code(member_id=make_member().pk, typed=word, key="k", at=NOON).points == 0
    assert type_code(member_id=member.pk, typed=word, key="k", at=NOON + timedelta(hours=1)).source == "CLAIMED"


def test_wrong_codes_are_counted_anew_after_the_hour():
    member = make_member()
    for at in (NOON, NOON, NOON + timedelta(hours=1)):
        with pytest.raises(UnknownCode):
            type_code(member_id=member.pk, typed="WRONG", key="k", at=at)
    assert CodeTries.objects.get(member=member).wrong == 1
    assert not Redemption.objects.exists()


def test_the_conditions_are_told_in_words_of_each_language():
    reward = make_reward(minimum_purchase=2000, stacking="ALONE")
    reward.stores.add(Store.objects.create(code="garden", name="Garden Row"))
    said = {}
    for language in ("en", "zh-hans", "zh-hant"):
        with translation.override(language):
            said[language] = conditions_of(reward)
    assert said["en"] == [
        "Only at: Garden Row", "For a purchase of 20.00 GBP or more", "Only one such coupon a purchase",
    ]  # fmt: skip
    assert len({tuple(texts) for texts in said.values()}) == 3

"""The catalogue in the order that suits the member, filtered and searched, one page at a time."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import translation

from members.accounts.models import SegmentMembership
from rewards.browsing.interests import choose_interests
from rewards.browsing.shelf import CHEAP, DEAR, NEAR, NEW, NOW, Wanted, browse
from rewards.catalogue.models import Category, Reward, RewardTierPrice
from rewards.redemption.redeeming import redeem
from tests.rewards.factories import NOON, make_event, make_member, make_reward, make_tiers, stand

pytestmark = pytest.mark.django_db


def names(member=None, size=24, **wanted):
    """Return the names on a page, in their order."""
    shelf = browse(member=member, wanted=Wanted(**wanted), at=NOON, size=size)
    return [offer.reward.name_en for offer in shelf.offers]


def shelves(*slugs):
    """Return categories in this order."""
    return [Category.objects.create(slug=slug, name_en=slug, order=place) for place, slug in enumerate(slugs)]


def test_for_you_is_likes_then_affordable_then_near_then_others_and_sold_out_last():
    food, art = shelves("food", "art")
    member = make_member(points=200)
    for name, points, category in [
        ("far", 900, food),
        ("near", 290, food),
        ("now", 100, food),
        ("liked far", 800, art),
    ]:
        make_reward(name_en=name, points=points, category=category)
    make_reward(name_en="liked and gone", points=10, category=art, stock=None, is_unlimited=False)
    make_reward(name_en="liked now", points=50, category=art)
    choose_interests(member_id=member.pk, category_ids=[art.pk], at=NOON)
    assert names(member) == ["liked now", "liked far", "now", "near", "far", "liked and gone"]


def test_a_visitor_sees_the_arrangement_of_staff_and_sold_out_last():
    make_reward(name_en="second", order=2)
    make_reward(name_en="gone", order=0, stock=None, is_unlimited=False)
    make_reward(name_en="first", order=1)
    assert names() == ["first", "second", "gone"]


def test_only_what_can_be_had_now():
    _basic, gold = make_tiers()
    member = make_member(points=200)
    make_reward(name_en="now")
    make_reward(name_en="dear", points=201)
    make_reward(name_en="for gold", minimum_tier=gold)
    make_reward(name_en="for some", segment="vip")
    make_reward(name_en="coming", offered_from=NOON + timedelta(days=1))
    make_reward(name_en="no stock", stock=None, is_unlimited=False)
    make_reward(name_en="no codes", stock=None, is_unlimited=True, needs_code_pool=True)
    had = make_reward(name_en="had", points=10, limits={"MONTH": 1})
    redeem(member_id=member.pk, reward_id=had.pk, key="k" * 20, at=NOON)
    assert names(member, only=NOW) == ["now"]
    SegmentMembership.objects.create(member=member, segment="vip", since=NOON)
    stand(member, gold)
    assert set(names(member, only=NOW)) == {"now", "for gold", "for some"}


def test_near_is_from_two_thirds_of_the_price_on():
    member = make_member(points=200)
    for points in (200, 201, 300, 301):
        make_reward(name_en=str(points), points=points)
    assert names(member, only=NEAR) == ["201", "300"]


def test_the_price_of_the_own_tier_decides():
    basic, gold = make_tiers()
    member, reward = make_member(points=200), make_reward(name_en="x", points=500)
    RewardTierPrice.objects.create(reward=reward, tier=gold, points=150)
    RewardTierPrice.objects.create(reward=reward, tier=basic, points=400)
    stand(member, basic)
    assert names(member, only=NOW) == []
    stand(member, gold)
    assert names(member, only=NOW) == ["x"]
    assert browse(member=member, wanted=Wanted(), at=NOON).offers[0].price == 150


def test_filters_by_category_and_kind():
    food, _art = shelves("food", "art")
    make_reward(name_en="cake", category=food)
    make_reward(name_en="pan", category=food, kind="gift")
    make_event()
    assert names(category="food") == ["cake", "pan"]
    assert names(category="food", kind="gift") == ["pan"]
    assert names(kind="event") == ["Tasting"]
    assert names(kind="'; --") == []


def test_orders():
    for name, points in [("b", 200), ("a", 100), ("c", 300)]:
        make_reward(name_en=name, points=points)
    assert names(sort=CHEAP) == ["a", "b", "c"]
    assert names(sort=DEAR) == ["c", "b", "a"]
    assert names(sort=NEW) == ["c", "a", "b"]
    assert names(sort="nonsense") == names()


@pytest.mark.parametrize(
    ("query", "language", "found"),
    [
        ("cafe", "en", ["Café crème"]),
        ("CRÈME café", "en", ["Café crème"]),
        ("CAFE\u0301", "en", ["Café crème"]),
        ("roasted", "en", ["Café crème"]),
        ("ｃａｆｅ", "en", ["Café crème"]),
        ("straße", "en", ["Strasse"]),
        ("咖啡", "zh-hans", ["Café crème"]),
        ("奶油 咖啡", "zh-hans", ["Café crème"]),
        ("咖啡", "en", []),
        ("crème", "zh-hans", []),
        ("strasse", "zh-hans", ["Strasse"]),
        ("100%", "en", []),
        ("_", "en", []),
        ("\x00", "en", ["Café crème", "Strasse"]),
        ("tea", "en", []),
    ],
)
def test_search_finds_every_word_in_the_active_language(query, language, found):
    make_reward(
        name_en="Café crème", name_zh_hans="奶油咖啡", description_en="Freshly ROASTED.", description_zh_hans="现磨"
    )
    make_reward(name_en="Strasse", order=1)
    with translation.override(language):
        assert names(query=query) == found


def test_a_changed_text_is_found_at_once():
    reward = make_reward(name_en="Tea")
    reward.name_en = "Éclair"
    reward.save(update_fields=["name_en"])
    assert names(query="eclair") == ["Éclair"]
    assert names(query="tea") == []


def test_pages_hold_every_reward_once():
    member = make_member(points=150)
    for number in range(7):
        make_reward(name_en=str(number), points=50 * (number + 1))
    pages = [browse(member=member, wanted=Wanted(page=page), at=NOON, size=3) for page in (1, 2, 3, 99, -5)]
    assert [shelf.page for shelf in pages] == [1, 2, 3, 3, 1]
    assert {shelf.pages for shelf in pages} == {3}
    assert {shelf.total for shelf in pages} == {7}
    seen = [offer.reward.name_en for shelf in pages[:3] for offer in shelf.offers]
    assert sorted(seen) == list("0123456")


def queries_of(member, size):
    """Return how many queries one page takes."""
    with CaptureQueriesContext(
        connection,
    ) as seen:
        shelf = browse(member=member, wanted=Wanted(query="r", only=""), at=NOON, size=size)
        for offer in shelf.offers:
            assert [price.tier.name for price in offer.reward.tier_prices.all()]
            assert offer.reward.category
    return len(seen)


def test_the_queries_do_not_grow_with_the_catalogue():
    _basic, gold = make_tiers()
    [food] = shelves("food")
    member = make_member(points=500)
    for number in range(30):
        reward = make_reward(
            name_en=f"R{number}", minimum_tier=gold, limits={"EVER": 2}, codes=[f"CODE-{number}"], category=food,
            segment="vip",
        )  # fmt: skip
        RewardTierPrice.objects.create(reward=reward, tier=gold, points=10)
    queries_of(member, 1)
    assert queries_of(member, 3) == queries_of(member, 30) <= 20


def test_a_page_of_a_large_catalogue_reads_one_page(django_assert_max_num_queries):
    rewards = [
        Reward(kind="coupon", name_en=f"R{number}", points=number + 1, is_unlimited=True) for number in range(3000)
    ]
    Reward.objects.bulk_create(rewards)
    member = make_member(points=1500)
    with django_assert_max_num_queries(20):
        shelf = browse(member=member, wanted=Wanted(page=40), at=NOON)
    assert (len(shelf.offers), shelf.total) == (24, 3000)

"""Filters, hearts, interests, badges and queues on the pages."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from rewards.browsing.interests import choose_interests, interests_of
from rewards.catalogue.models import Category, RewardTierPrice
from rewards.redemption.fulfilment import cancel_redemption
from rewards.redemption.models import Redemption
from rewards.redemption.redeeming import redeem
from rewards.stock.models import RewardStock
from rewards.waiting.models import WaitingPlace
from rewards.waiting.queueing import offer_places
from rewards.wishes.models import Wish
from tests.rewards.factories import make_event, make_login, make_member, make_reward, make_tiers, stand

pytestmark = pytest.mark.django_db

KEY = "k" * 24


@pytest.fixture
def member(client):
    """Return a member with 250 points whose login is signed in."""
    user = make_login()
    client.force_login(user)
    return make_member(points=250, user=user)


def page(client, name, *arguments, **options):
    """Return the text of a page."""
    response = client.get(reverse(name, args=arguments), **options)
    assert response.status_code == 200
    return response.content.decode()


def test_the_shelf_is_searched_and_says_how_many(client, member):
    make_reward(name_en="Crème brûlée")
    make_reward(name_en="Tea")
    text = page(client, "rewards:catalogue", data={"q": "creme"})
    assert "Crème brûlée" in text
    assert "1 reward found" in text
    assert "Nothing found" in page(client, "rewards:catalogue", data={"q": "beer"})


@pytest.mark.parametrize(
    "query",
    [{"page": "x"}, {"page": "-1"}, {"sort": "'"}, {"kind": "x"}, {"only": "x"}, {"category": "a b"}, {"q": "x" * 999}],
)
def test_nonsense_in_the_address_counts_as_nothing(client, member, query):
    make_reward(name_en="Tea")
    assert "Tea" in page(client, "rewards:catalogue", data=query)


def test_the_shelf_goes_on_on_the_next_page_and_keeps_the_filter(client, member):
    for number in range(25):
        make_reward(name_en=f"Tea {number}")
    text = page(client, "rewards:catalogue", data={"q": "tea"})
    assert "Page 1 of 2" in text
    assert "?q=tea&amp;page=2" in text
    assert "Page 2 of 2" in page(client, "rewards:catalogue", data={"q": "tea", "page": "2"})


def test_what_comes_money_tier_price_and_event_stand_on_card_and_page(client, member):
    _basic, gold = make_tiers()
    stand(member, gold)
    soon = timezone.now() + timedelta(days=3)
    event = make_event(money_price=500, place="Tea room", offered_from=soon)
    RewardTierPrice.objects.create(reward=event, tier=gold, points=70)
    for text in (page(client, "rewards:catalogue"), page(client, "rewards:detail", event.public_id)):
        for words in ("Gold price", "<s ", "+ 5.00 GBP", "Tea room", "1 May 2040"):
            assert words in text, words
    assert "Coming soon" in page(client, "rewards:catalogue")


def test_the_heart_puts_on_and_takes_off_and_leads_back(client, member):
    reward = make_reward(points=300)
    address = reverse("rewards:wish", args=[reward.public_id])
    back = client.post(address, {"wanted": "1", "next": "/rewards/?q=a"})
    assert back.headers["Location"] == f"/rewards/?q=a#{reward.public_id}"
    assert Wish.objects.get().member == member
    text = page(client, "rewards:wishes")
    assert "Coffee" in text
    assert "50 points to go" in text
    assert 'aria-pressed="true"' in page(client, "rewards:catalogue")
    assert client.post(address, {"wanted": "0", "next": "//evil.example.com/"}).headers["Location"] == "/wishes/"
    assert "No wishes yet" in page(client, "rewards:wishes")


def test_a_visitor_has_no_heart(client):
    reward = make_reward()
    assert "heart__button" not in page(client, "rewards:catalogue")
    response = client.post(reverse("rewards:wish", args=[reward.public_id]), {"wanted": "1"})
    assert response.headers["Location"].startswith("/accounts/login/")
    assert not Wish.objects.exists()


def test_what_is_hidden_cannot_be_wished_for(client, member):
    reward = make_reward(is_active=False)
    assert client.post(reverse("rewards:wish", args=[reward.public_id]), {"wanted": "1"}).status_code == 404


def test_interests_are_chosen_on_the_profile(client, member):
    shown, hidden = (Category.objects.create(slug=slug, name_en=slug.title()) for slug in ("food", "art"))
    make_reward(category=shown)
    choose_interests(member_id=member.pk, category_ids=[hidden.pk], at=timezone.now())
    text = page(client, "portal:profile")
    assert "What you like" in text
    assert "Art" not in text
    client.post(reverse("rewards:interests"), {"category": [shown.pk, "x", "9" * 30]})
    assert interests_of(member.pk) == {shown.pk, hidden.pk}
    assert f'value="{shown.pk}" checked' in page(client, "portal:profile")


def test_a_badge_stands_on_the_profile(client, member):
    badge = make_reward(kind="badge", stock=None, name_en="Friend of trees")
    assert "Your badges" not in page(client, "portal:profile")
    redeem(member_id=member.pk, reward_id=badge.pk, key=KEY)
    assert "Friend of trees" in page(client, "portal:profile")


def test_the_address_of_an_activity_is_shown_after_redeeming_only(client, member):
    reward = make_reward(kind="online", stock=None, link="https://example.com/course")
    assert "example.com/course" not in page(client, "rewards:detail", reward.public_id)
    done = redeem(member_id=member.pk, reward_id=reward.pk, key=KEY)
    assert "https://example.com/course" in page(client, "rewards:redemption", done.public_id)


def test_from_the_queue_to_the_seat(client, member):
    event = make_event()
    other = redeem(member_id=make_member(points=100).pk, reward_id=event.pk, key=KEY)
    assert "Wait for a free seat" in page(client, "rewards:detail", event.public_id)
    client.post(reverse("rewards:queue_join", args=[event.public_id]))
    assert "You are number 1 in the queue" in page(client, "rewards:detail", event.public_id)
    seat = reverse("rewards:seat", args=[event.public_id])
    assert client.get(seat).status_code == 302
    cancel_redemption(redemption_id=other.pk, by_seller=False, reason="ill", actor_id=None)
    offer_places(reward_id=event.pk)
    assert "A seat is kept for you until" in page(client, "rewards:detail", event.public_id)
    assert seat in client.get(seat).content.decode()
    response = client.post(seat, {"key": KEY, "price": 100})
    done = Redemption.objects.get(member=member)
    assert response.headers["Location"] == reverse("rewards:redemption", args=[done.public_id])
    assert "1 May 2040" in page(client, "rewards:redemption", done.public_id)


def test_leaving_the_queue_and_asking_without_a_seat(client, member):
    event = make_event(seats=0)
    client.post(reverse("rewards:queue_join", args=[event.public_id]))
    client.post(reverse("rewards:queue_leave", args=[event.public_id]))
    assert WaitingPlace.objects.get().state == "LEFT"
    client.post(reverse("rewards:seat", args=[event.public_id]), {"key": KEY, "price": 100})
    client.post(reverse("rewards:queue_join", args=[make_reward().public_id]))
    assert WaitingPlace.objects.count() == 1
    assert not Redemption.objects.exists()
    assert not RewardStock.objects.filter(reward=event).exists()

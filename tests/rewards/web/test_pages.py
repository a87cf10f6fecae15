"""The member's pages: the shelf, the way to a code, the wallet."""

import re
from datetime import timedelta

import pytest
from django.core.files.base import ContentFile
from django.urls import reverse
from django.utils import timezone

from members.ledger.statements import spendable_points
from rewards.catalogue.models import Category, Reward
from rewards.redemption.fulfilment import cancel_redemption, mark_used
from rewards.redemption.models import Redemption
from rewards.redemption.redeeming import redeem
from tests.rewards.factories import make_login, make_member, make_reward, make_tiers

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
    response = client.get(reverse(f"rewards:{name}", args=arguments), **options)
    assert response.status_code == 200
    return response.content.decode()


def send(client, reward, *, key=KEY, price=None):
    """Send the redeem form."""
    address = reverse("rewards:redeem", args=[reward.public_id])
    return client.post(address, {"key": key, "price": price or reward.points})


def redeemed(member, reward, key=KEY):
    """Return a redemption of now."""
    return redeem(member_id=member.pk, reward_id=reward.pk, key=key)


def test_the_catalogue_says_what_is_missing_and_what_can_be_had(client, member):
    make_reward(name_en="Cheap", points=250)
    make_reward(name_en="Near", points=370)
    make_reward(name_en="Dear", points=400)
    text = page(client, "catalogue")
    assert "You can have this now" in text
    assert "120 points to go" in text
    assert "You need 150 more points" in text


def test_the_catalogue_marks_tiers_and_says_why_not(client, member):
    _basic, gold = make_tiers()
    make_reward(minimum_tier=gold)
    make_reward(stock=None, is_unlimited=False)
    text = page(client, "catalogue")
    assert "From Gold on" in text
    assert "For members from Gold on" in text
    assert "Sold out" in text


def test_the_catalogue_filters_by_category_and_hides_empty_ones(client, member):
    drinks, food = (Category.objects.create(slug=slug, name_en=slug.title()) for slug in ("drinks", "food"))
    Category.objects.create(slug="void", name_en="Nobody")
    make_reward(name_en="Tea", category=drinks)
    make_reward(name_en="Cake", category=food)
    text = page(client, "catalogue", data={"category": "food"})
    assert "Cake" in text
    assert "Tea" not in text
    assert "Nobody" not in text


def test_a_visitor_sees_prices_without_personal_notes(client):
    make_reward(name_en="Tea")
    text = page(client, "catalogue")
    assert "Tea" in text
    assert "You can have this now" not in text


def test_an_empty_catalogue_says_so(client):
    assert "Nothing here yet" in page(client, "catalogue")


def test_the_catalogue_costs_the_same_queries_for_one_reward_and_for_many(
    client, member, django_assert_max_num_queries
):
    _basic, gold = make_tiers()
    for number in range(12):
        codes = [f"POOL-{number}"]
        make_reward(codes=codes, minimum_tier=gold, limits={"EVER": 2}, name_en=f"R{number}")
    page(client, "catalogue")
    with django_assert_max_num_queries(26):
        page(client, "catalogue")


def test_texts_are_in_the_chosen_language(client, member):
    make_reward(name_en="Tea", name_zh_hant="熱茶")
    assert "熱茶" in page(client, "catalogue", headers={"accept-language": "zh-hant"})


def test_hidden_rewards_are_not_found(client, member):
    hidden = make_reward(is_active=False)
    assert client.get(reverse("rewards:detail", args=[hidden.public_id])).status_code == 404


def test_the_detail_names_every_reason(client, member):
    _basic, gold = make_tiers()
    reward = make_reward(points=1000, minimum_tier=gold, terms_en="One per visit.")
    text = page(client, "detail", reward.public_id)
    assert "750 points missing" in text
    assert "For members from Gold on" in text
    assert "One per visit." in text
    assert reverse("rewards:redeem", args=[reward.public_id]) not in text


def test_the_confirm_page_shows_what_stays_and_a_new_key_each_time(client, member):
    reward = make_reward()
    pages = [page(client, "redeem", reward.public_id) for _ in range(2)]
    keys = {key for text in pages for key in re.findall(r'name="key" value="([^"]+)"', text)}
    assert len(keys) == 2
    assert "You keep 150 points." in pages[0]
    assert not Redemption.objects.exists()


def test_the_confirm_page_of_what_cannot_be_had_leads_back(client, member):
    response = client.get(reverse("rewards:redeem", args=[make_reward(points=999).public_id]))
    assert response.status_code == 302


def test_redeeming_leads_to_the_code(client, member):
    reward = make_reward(valid_days=30)
    response = send(client, reward)
    redemption = Redemption.objects.get()
    assert response.headers["Location"] == reverse("rewards:redemption", args=[redemption.public_id])
    text = page(client, "redemption", redemption.public_id)
    assert redemption.code in text
    assert "<svg viewBox" in text
    assert "Valid until" in text


def test_the_form_sent_twice_is_one_redemption(client, member):
    reward = make_reward()
    addresses = {send(client, reward).headers["Location"] for _ in range(2)}
    assert len(addresses) == 1
    assert spendable_points(member.pk, timezone.now()) == 150


def test_a_refusal_says_why_and_takes_nothing(client, member):
    reward = make_reward(points=300)
    response = send(client, reward)
    assert response.status_code == 409
    assert "50 points missing" in response.content.decode()
    assert spendable_points(member.pk, timezone.now()) == 250


def test_a_price_that_changed_since_the_form_was_shown_is_refused(client, member):
    reward = make_reward()
    Reward.objects.update(points=200)
    response = send(client, reward, price=100)
    assert "The price has changed to 200 points" in response.content.decode()


@pytest.mark.parametrize("key", ["", "short", "x" * 65, "no spaces are allowed here"])
def test_a_form_without_a_proper_key_is_sent_back(client, member, key):
    assert send(client, make_reward(), key=key).status_code == 302
    assert not Redemption.objects.exists()


def test_a_key_of_another_reward_is_sent_back(client, member):
    send(client, make_reward())
    response = send(client, make_reward())
    assert "/rewards/" in response.headers["Location"]
    assert Redemption.objects.count() == 1


@pytest.mark.parametrize("name", ["redeem", "wallet", "redemption"])
def test_visitors_are_led_to_the_login(client, name):
    arguments = [] if name == "wallet" else [make_reward().public_id]
    response = client.get(reverse(f"rewards:{name}", args=arguments))
    assert response.headers["Location"].startswith("/accounts/login/")


def test_a_login_without_membership_cannot_redeem(client):
    client.force_login(make_login())
    assert send(client, make_reward()).status_code == 302
    assert not Redemption.objects.exists()


def test_nobody_sees_the_code_of_another_member(client, member):
    foreign = redeemed(make_member(points=100), make_reward())
    address = reverse("rewards:redemption", args=[foreign.public_id])
    assert client.get(address).status_code == 404
    client.force_login(make_login())
    assert client.get(address).status_code == 404


def test_the_wallet_shows_each_state_in_words(client, member):
    reward = make_reward(points=50, valid_days=3)
    rows = [redeemed(member, reward, key) for key in ("open", "used", "cancelled")]
    mark_used(redemption_id=rows[1].pk, actor_id=None)
    cancel_redemption(redemption_id=rows[2].pk, by_seller=True, reason="x", actor_id=None)
    past = timezone.now() - timedelta(days=9)
    redeem(member_id=member.pk, reward_id=reward.pk, key="old", at=None)
    Redemption.objects.filter(key="old").update(valid_until=past)
    text = page(client, "wallet")
    for words in ("Ready to use · until", "Used", "Cancelled, points given back", "Expired"):
        assert words in text


def test_the_wallet_goes_on_where_a_page_ends(client, member, monkeypatch):
    monkeypatch.setattr("rewards.web.views.PAGE", 2)
    for number in range(3):
        redeemed(member, make_reward(points=10, name_en=f"Reward {number}"), f"k{number}")
    first = page(client, "wallet")
    [older] = re.findall(r"\?before=(\d+)", first)
    assert "Reward 0" not in first
    assert "Reward 0" in page(client, "wallet", data={"before": older})


@pytest.mark.parametrize("before", ["x", "-1", "9" * 40, "１"])
def test_a_nonsense_page_number_is_the_first_page(client, member, before):
    page(client, "wallet", data={"before": before})


def test_an_empty_wallet_leads_to_the_rewards(client, member):
    assert "Nothing redeemed yet" in page(client, "wallet")


def test_a_used_code_is_shown_without_ticket(client, member):
    redemption = redeemed(member, make_reward())
    mark_used(redemption_id=redemption.pk, actor_id=None)
    text = page(client, "redemption", redemption.public_id)
    assert "ticket__code" not in text
    assert "Used" in text


def test_a_donation_says_thank_you(client, member):
    redemption = redeemed(member, make_reward(kind="donation", stock=None))
    assert "Thank you" in page(client, "redemption", redemption.public_id)


def test_a_prepared_code_is_shown_as_it_was_prepared(client, member):
    redemption = redeemed(member, make_reward(codes=["ab-CD-99"]))
    assert ">ab-CD-99<" in page(client, "redemption", redemption.public_id)


def test_a_picture_is_sent_as_harmless_data(client, settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path
    reward = make_reward()
    assert client.get(reverse("rewards:picture", args=[reward.public_id])).status_code == 404
    reward.image.save("evil.html", ContentFile(b"webp"))
    response = client.get(reward.picture_url)
    assert response.headers["Content-Type"] == "image/webp"
    assert "sandbox" in response.headers["Content-Security-Policy"]
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert b"".join(response.streaming_content) == b"webp"
    assert "evil" not in str(reward.image)

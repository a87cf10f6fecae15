"""The claim centre and presents in the portal."""

import re
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from rewards.codes.shared import make_shared_code
from rewards.coupons.issuing import give_coupon
from rewards.coupons.models import Present
from rewards.redemption.models import Redemption
from tests.rewards.coupons.making import make_giveaway
from tests.rewards.factories import make_login, make_member, make_reward

pytestmark = pytest.mark.django_db

KEY = "k" * 20


@pytest.fixture
def member(client: Client):
    """Return a member who is signed in."""
    made = make_member(user=make_login())
    client.force_login(made.user)
    return made


def open_now(**fields):
    """Return a giveaway that is open now."""
    now = timezone.now()
    return make_giveaway(opens_at=now - timedelta(hours=1), closes_at=now + timedelta(hours=1), **fields)


def coupon_of(member):
    """Return a coupon that may be passed on."""
    reward = make_reward(stock=None, is_giftable=True, name_en="Cake")
    return give_coupon(member_id=member.pk, reward_id=reward.pk, key="k", reason="Thanks")


def test_a_giveaway_is_shown_and_claimed_once_however_often_the_form_is_sent(client: Client, member):
    giveaway = open_now(total=3)
    assert "Coffee" in client.get("/claims/").content.decode()
    first = client.post(f"/claims/{giveaway.public_id}/", {"key": KEY})
    again = client.post(f"/claims/{giveaway.public_id}/", {"key": KEY})
    assert first.headers["Location"] == again.headers["Location"] == f"/wallet/{Redemption.objects.get().public_id}/"
    shown = client.get("/claims/").content.decode()
    assert "You have it already" in shown
    assert "2 left" in shown
    other = client.post(f"/claims/{giveaway.public_id}/", {"key": "o" * 20}, follow=True)
    assert "You have it already" in other.content.decode()
    assert Redemption.objects.count() == 1


def test_a_typed_code_leads_to_the_coupon_and_a_wrong_one_says_so(client: Client, member):
    make_shared_code(reward_id=make_reward(stock=None).pk, code="SPRING", uses_allowed=5, actor_id=None)
    wrong = client.post("/claims/", {"typed": "AUTUMN", "key": KEY}, follow=True)
    assert "This is not one of our codes" in wrong.content.decode()
    right = client.post("/claims/", {"typed": "spring", "key": KEY})
    assert right.headers["Location"] == f"/wallet/{Redemption.objects.get().public_id}/"
    used = client.post("/claims/", {"typed": "spring", "key": "o" * 20}, follow=True)
    assert "You have used this code already." in used.content.decode()


def test_a_coupon_is_passed_on_by_a_link_and_the_giver_sees_what_became_of_it(client: Client, member):
    coupon = coupon_of(member)
    assert "Pass on to a friend" in client.get(f"/wallet/{coupon.public_id}/").content.decode()
    page = client.post(f"/wallet/{coupon.public_id}/pass-on/").content.decode()
    path = re.search(r"/present/[\w-]+/", page).group()
    assert "Not taken yet" in client.get("/claims/").content.decode()
    own = client.post(path, follow=True)
    assert "This is your own link" in own.content.decode()

    visitor = Client()
    shown = visitor.get(path)
    assert "Cake" in shown.content.decode()
    assert coupon.code not in shown.content.decode()
    assert "no-store" in shown.headers["Cache-Control"]

    friend, other = (make_member(user=make_login()) for _ in range(2))
    for who, status in ((friend, 302), (other, 409)):
        taker = Client()
        taker.force_login(who.user)
        assert taker.post(path).status_code == status
    assert Redemption.objects.get().holder == friend
    assert client.get(f"/wallet/{coupon.public_id}/").status_code == 404
    assert "Taken by your friend · Ready to use" in client.get("/claims/").content.decode()
    assert visitor.get(path).status_code == 404


def test_a_link_is_taken_back(client: Client, member):
    coupon = coupon_of(member)
    client.post(f"/wallet/{coupon.public_id}/pass-on/")
    client.post(f"/wallet/{coupon.public_id}/pass-on/", {"withdraw": "yes"})
    assert Present.objects.get().state == "WITHDRAWN"
    assert "You took the link back" in client.get("/claims/").content.decode()


def test_nobody_passes_on_what_belongs_to_another(client: Client, member):
    foreign = coupon_of(make_member())
    assert client.post(f"/wallet/{foreign.public_id}/pass-on/").status_code == 404
    assert not Present.objects.exists()

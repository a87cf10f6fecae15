"""The address on the way to a redemption, and the parcel on its page."""

import pytest
from django.urls import reverse

from rewards.handover.models import Parcel
from rewards.handover.parcels import send_parcel, take_up
from rewards.redemption.models import Redemption
from rewards.redemption.redeeming import give_reward
from tests.rewards.factories import make_login, make_member, make_reward

pytestmark = pytest.mark.django_db

KEY = "k" * 24
TYPED = {
    "name": "Ada Example", "phone": "+44 20 7946 0000", "line1": "1 Sample Street", "line2": "",
    "postal_code": "N1 1AA", "city": "London", "country": "gb",
}  # fmt: skip


@pytest.fixture
def member(client):
    """Return a member with 250 points whose login is signed in."""
    user = make_login()
    client.force_login(user)
    return make_member(points=250, user=user)


@pytest.fixture
def reward():
    """Return a gift that is sent."""
    return make_reward(kind="gift", name_en="Mug", handover="SEND")


def address_of(row):
    """Return the page that asks where to send it."""
    return reverse("rewards:address", args=[row.public_id])


def shown(client, row):
    """Return the page of a redemption."""
    return client.get(reverse("rewards:redemption", args=[row.public_id])).content.decode()


def send(client, reward, key=KEY, **changes):
    """Send the confirmation page."""
    data = {"key": key, "price": reward.points} | TYPED | changes
    return client.post(reverse("rewards:redeem", args=[reward.public_id]), data)


@pytest.mark.usefixtures("member")
def test_the_address_is_kept_in_one_form(client, reward):
    assert send(client, reward).status_code == 302
    parcel = Parcel.objects.get()
    assert (parcel.phone, parcel.country, parcel.city) == ("+442079460000", "GB", "London")
    again = client.get(reverse("rewards:redeem", args=[reward.public_id])).content.decode()
    assert "1 Sample Street" in again


@pytest.mark.usefixtures("member")
@pytest.mark.parametrize("wrong", [{"country": "XX"}, {"phone": "12"}, {"line1": ""}, {"name": "x" * 121}])
def test_a_wrong_address_takes_nothing(client, reward, wrong):
    response = send(client, reward, **wrong)
    assert response.status_code == 422
    assert "Ada Example" in response.content.decode() or "x" * 121 in response.content.decode()
    assert not Redemption.objects.exists()


@pytest.mark.usefixtures("member")
def test_the_page_shows_the_way_of_the_parcel_instead_of_a_code(client, reward):
    send(client, reward)
    row = Redemption.objects.get()
    assert "Change the address" in shown(client, row)
    assert row.code not in shown(client, row)
    take_up(parcel_ids=[Parcel.objects.get().pk], actor_id=None)
    assert "Change the address" not in shown(client, row)
    send_parcel(redemption_id=row.pk, carrier="Post", tracking="TR-77", actor_id=None)
    assert "TR-77" in shown(client, row)
    client.post(address_of(row), TYPED | {"city": "Leeds"})
    assert Parcel.objects.get().city == "London"


def test_a_gift_asks_for_its_address_later(client, member, reward):
    row = give_reward(member_id=member.pk, reward_id=reward.pk, key="g", source="SENT")
    assert "Tell us where to send it" in shown(client, row)
    assert client.get(address_of(row)).status_code == 200
    client.post(address_of(row), TYPED)
    assert Parcel.objects.get().city == "London"


@pytest.mark.usefixtures("member")
def test_nobody_sees_or_sets_the_address_of_another(client, reward):
    row = give_reward(member_id=make_member().pk, reward_id=reward.pk, key="g", source="SENT")
    assert client.get(address_of(row)).status_code == 404
    assert client.post(address_of(row), TYPED).status_code == 404
    assert not Parcel.objects.exists()

"""The pages of referrals and the claim after joining."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from campaigns.referral.claims import code_of
from campaigns.referral.models import Referral
from members.accounts.models import Member
from tests.campaigns.factories import change_campaign, make_reachable
from tests.factories import make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def advocate() -> Member:
    change_campaign("referral", friend_points=1500, gift_points=2000, minimum_amount=1000)
    return make_reachable(name="Ada Lovelace")


def link(member: Member) -> str:
    return f"/r/{code_of(member.pk).code}/"


def join(client: Client) -> Member:
    """Sign in as somebody who has just become a member."""
    user = make_user()
    client.force_login(user)
    return make_reachable(user=user, joined_at=timezone.now() + timedelta(seconds=1))


def test_the_landing_page_tells_the_offer_and_nothing_about_the_member(client: Client, advocate: Member) -> None:
    page = client.get(link(advocate))

    text = page.content.decode()
    assert page.status_code == 200
    assert "1,500 points" in text
    assert "10.00 GBP" in text
    assert "Ada" not in text
    assert advocate.number not in text


def test_looking_at_the_landing_page_claims_nothing(client: Client, advocate: Member) -> None:
    client.get(link(advocate))

    assert not Referral.objects.exists()


def test_the_cookie_is_signed_lasts_30_days_and_is_closed_to_scripts(client: Client, advocate: Member) -> None:
    cookie = client.get(link(advocate)).cookies["referral"]

    assert cookie["max-age"] == 30 * 24 * 3600
    assert cookie["httponly"]
    assert cookie["samesite"] == "Lax"


def test_a_friend_who_joins_in_the_same_browser_is_claimed_once(client: Client, advocate: Member) -> None:
    client.get(link(advocate))
    friend = join(client)

    answer = client.get("/preferences/")

    assert Referral.objects.get().advocate == advocate
    assert Referral.objects.get().friend == friend
    assert answer.cookies["referral"].value == ""


def test_the_first_of_two_links_is_claimed(client: Client, advocate: Member) -> None:
    client.get(link(advocate))
    client.get(link(make_reachable()))
    join(client)

    client.get("/preferences/")

    assert Referral.objects.get().advocate == advocate


def test_a_forged_cookie_claims_nothing(client: Client, advocate: Member) -> None:
    client.cookies["referral"] = f"{code_of(advocate.pk).code}|{int(timezone.now().timestamp())}"
    join(client)

    assert client.get("/preferences/").status_code == 200
    assert not Referral.objects.exists()


def test_a_member_of_long_standing_who_follows_a_link_is_not_claimed(client: Client, advocate: Member) -> None:
    user = make_user()
    make_reachable(user=user)
    client.force_login(user)

    client.get(link(advocate))
    client.get("/preferences/")

    assert not Referral.objects.exists()


def test_an_unknown_code_is_not_found(client: Client) -> None:
    assert client.get("/r/NOBODY/").status_code == 404


def test_the_members_own_page_shows_link_code_and_friends(client: Client, advocate: Member) -> None:
    user = make_user()
    Member.objects.filter(pk=advocate.pk).update(user=user)
    friend = make_reachable(name="Bob Bright", email="bob@example.com")
    Referral.objects.create(
        campaign=change_campaign("referral"), advocate=advocate, friend=friend, claimed_at=timezone.now()
    )
    client.force_login(user)

    text = client.get("/refer/").content.decode()

    assert link(advocate) in text
    assert "<svg" in text
    assert "Joined, first purchase still to come" in text
    assert "Bob" not in text
    assert "bob@example.com" not in text


def test_the_members_own_page_needs_a_login(client: Client) -> None:
    assert client.get("/refer/").status_code == 302


def test_the_page_says_when_there_is_no_offer(client: Client, advocate: Member) -> None:
    change_campaign("referral", is_active=False)

    page = client.get(link(advocate))

    assert "referral" not in page.cookies
    assert page.status_code == 200

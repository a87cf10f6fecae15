"""The pages around the login wear our frame and speak our words."""

import pytest
from django.test import Client

from members.accounts.models import Member
from tests.factories import make_member, make_user

pytestmark = pytest.mark.django_db

MANAGED = [
    "/accounts/email/",
    "/accounts/phone/change/",
    "/accounts/password/set/",
    "/accounts/2fa/",
    "/accounts/logout/",
]


@pytest.fixture
def member() -> Member:
    return make_member(user=make_user())


def test_signing_up_by_address_leads_to_the_code(client: Client) -> None:
    sent = {"email": "ana@example.com", "password1": "correct horse 9 battery"}
    text = client.post("/accounts/signup/", sent, follow=True).content.decode()
    assert "The code from the message" in text
    assert "ana@example.com" in text
    assert 'autocomplete="one-time-code"' in text
    assert ">简体中文</button>" in text


def test_signing_up_by_mobile_asks_for_no_password(client: Client) -> None:
    page = client.get("/accounts/signup/mobile/").content.decode()
    assert 'type="password"' not in page
    text = client.post("/accounts/signup/mobile/", {"phone": "+886 912 345 678"}, follow=True).content.decode()
    assert "The code from the message" in text
    assert "+886912345678" in text


def test_a_number_that_does_not_exist_keeps_what_was_typed(client: Client) -> None:
    text = client.post("/accounts/signup/mobile/", {"phone": "12"}).content.decode()
    assert "Enter a valid mobile number." in text
    assert 'value="12"' in text


def test_a_wrong_password_says_so_in_the_form(client: Client) -> None:
    text = client.post("/accounts/login/", {"login": "ana@example.com", "password": "wrong"}).content.decode()
    assert 'class="alert alert--danger"' in text or 'class="errorlist"' in text


@pytest.mark.parametrize("path", MANAGED)
def test_pages_about_the_login_have_the_frame_and_no_inline_style(client: Client, member: Member, path: str) -> None:
    assert member.user is not None
    client.force_login(member.user)
    text = client.get(path, follow=True).content.decode()
    assert 'class="appbar"' in text
    assert ">繁體中文</button>" in text
    assert "style=" not in text

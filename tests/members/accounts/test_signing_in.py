"""Joining and signing in as a browser does it: by address and password, or by number and code."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.core import mail
from django.test import Client
from django.urls import reverse

from members.accounts.enrolment import enrol_member
from members.accounts.models import Member, User
from members.events.models import Event
from members.lib.clock import database_now
from members.programme.models import Programme

PASSWORD = "three quiet harbours"
ANN = "ann@example.com"
PHONE = "+886912345678"

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def sinks(settings: Any, tmp_path: Path) -> Path:
    """Keep messages of this test apart; numbers without country code are from Taiwan."""
    settings.SMS_SINK_DIR = tmp_path
    settings.PHONE_REGION = "TW"
    settings.STAFF_MFA_REQUIRED = False
    return tmp_path


def texts(sinks: Path) -> list[dict[str, str]]:
    return [json.loads(path.read_text()) for path in sorted(sinks.iterdir())]


def code_in(text: object) -> str:
    found = re.search(r"\b\d{6}\b", str(text))
    assert found, text
    return found[0]


def sign_up(client: Client, **form: str) -> Any:
    path = reverse("account_signup") if "email" in form else reverse("portal:signup_by_phone")
    return client.post(path, form)


def type_code(client: Client, response: Any, code: str) -> Any:
    return client.post(response["Location"], {"code": code})


def join_by_email(client: Client, email: str = ANN) -> Any:
    response = sign_up(client, email=email, password1=PASSWORD)
    return type_code(client, response, code_in(mail.outbox[-1].body))


def join_by_phone(client: Client, sinks: Path, phone: str = "0912 345 678") -> Any:
    response = sign_up(client, phone=phone)
    return type_code(client, response, code_in(texts(sinks)[-1]["text"]))


def user_of(client: Client) -> User | None:
    return User.objects.filter(pk=client.session.get("_auth_user_id", 0)).first()


def test_signing_up_by_address_makes_no_member_until_the_code_is_typed(client: Client):
    response = sign_up(client, email=ANN, password1=PASSWORD)

    assert response.status_code == 302
    assert User.objects.get().email == ANN
    assert not Member.objects.exists()
    assert user_of(client) is None

    type_code(client, response, code_in(mail.outbox[-1].body))

    member = Member.objects.get()
    assert (member.user, member.person.email) == (user_of(client), ANN)
    assert EmailAddress.objects.get().verified


def test_a_wrong_code_confirms_nothing(client: Client):
    response = sign_up(client, email=ANN, password1=PASSWORD)

    for _ in range(4):
        type_code(client, response, "000000")

    assert not Member.objects.exists()
    assert not EmailAddress.objects.get().verified
    assert user_of(client) is None


def test_signing_up_by_number_needs_neither_address_nor_password(client: Client, sinks: Path):
    response = sign_up(client, phone="0912-345-678")
    assert not Member.objects.exists()
    (text,) = texts(sinks)
    assert text["to"] == PHONE

    type_code(client, response, code_in(text["text"]))

    member = Member.objects.get()
    assert (member.user, member.person.phone, member.person.email) == (user_of(client), PHONE, "")
    user = User.objects.get()
    assert (user.phone, user.phone_verified, user.email) == (PHONE, True, "")


@pytest.mark.parametrize("typed", ["0912345678", "+886 912 345 678", "886912345678"])
def test_a_number_signs_in_by_code_however_it_is_typed(client: Client, sinks: Path, typed: str):
    join_by_phone(client, sinks)
    browser = Client()

    response = browser.post(reverse("account_request_login_code"), {"phone": typed})
    type_code(browser, response, code_in(texts(sinks)[-1]["text"]))

    assert user_of(browser) == User.objects.get()
    assert Member.objects.count() == 1


def test_a_code_of_the_till_member_s_number_claims_the_member(client: Client, sinks: Path):
    before = enrol_member(source="till", joined_at=database_now(), phone=PHONE, name="Ann Ash")

    join_by_phone(client, sinks)

    before.refresh_from_db()
    assert before.user == user_of(client)
    assert Event.objects.filter(kind="member.claimed").count() == 1


def test_a_confirmed_address_claims_the_member_whatever_its_case(client: Client):
    before = enrol_member(source="till", joined_at=database_now(), email="Ann@Example.com")

    join_by_email(client, "ANN@example.com")

    before.refresh_from_db()
    assert before.user == user_of(client)


def test_an_address_and_password_sign_in(client: Client):
    join_by_email(client)
    browser = Client()

    browser.post(reverse("account_login"), {"login": ANN, "password": PASSWORD})

    assert user_of(browser) == User.objects.get()


def test_a_new_address_looks_the_same_as_a_known_one(client: Client, settings: Any):
    settings.ACCOUNT_RATE_LIMITS = {"confirm_email": False}
    join_by_email(client)

    known = sign_up(Client(), email=ANN, password1=PASSWORD)
    unknown = sign_up(Client(), email="bob@example.com", password1=PASSWORD)

    assert (known.status_code, known["Location"]) == (unknown.status_code, unknown["Location"])
    assert User.objects.filter(email=ANN).count() == 1
    assert [message.to for message in mail.outbox[-2:]] == [[ANN], ["bob@example.com"]]
    assert page_after(known) == page_after(unknown)


def test_a_new_number_looks_the_same_as_a_known_one(client: Client, sinks: Path, settings: Any):
    settings.ACCOUNT_RATE_LIMITS = {"verify_phone": False}
    join_by_phone(client, sinks)

    known = sign_up(Client(), phone=PHONE)
    unknown = sign_up(Client(), phone="+886912345679")

    assert (known.status_code, known["Location"]) == (unknown.status_code, unknown["Location"])
    assert [text["to"] for text in texts(sinks)[-2:]] == [PHONE, "+886912345679"]
    assert User.objects.filter(phone=PHONE).count() == 1


@pytest.mark.parametrize("field", ["email", "phone"])
def test_asking_for_a_code_tells_nobody_whether_the_account_exists(client: Client, sinks: Path, field: str):
    join_by_email(client) if field == "email" else join_by_phone(client, sinks)
    known, unknown = (ANN, "bob@example.com") if field == "email" else (PHONE, "+886912345679")

    answers = [Client().post(reverse("account_request_login_code"), {field: value}) for value in (known, unknown)]

    assert answers[0].status_code == answers[1].status_code == 302
    assert answers[0]["Location"] == answers[1]["Location"]


def test_resetting_a_password_tells_nobody_whether_the_address_exists(client: Client):
    join_by_email(client)

    answers = [Client().post(reverse("account_reset_password"), {"email": who}) for who in (ANN, "bob@example.com")]

    assert answers[0]["Location"] == answers[1]["Location"]


def page_after(response: Any) -> int:
    return int(response.client.get(response["Location"]).status_code)


def test_who_signed_up_with_a_stranger_s_number_never_gets_in(sinks: Path, settings: Any):
    """The owner joins elsewhere; the session that began with the number stays outside."""
    settings.ACCOUNT_RATE_LIMITS = {"verify_phone": False}
    stranger, owner = Client(), Client()
    waiting = sign_up(stranger, phone=PHONE)

    join_by_phone(owner, sinks, PHONE)

    for path in (waiting["Location"], reverse("account_login"), "/"):
        stranger.get(path)
    type_code(stranger, waiting, "000000")
    assert user_of(owner) is not None
    assert user_of(stranger) is None


def test_who_signed_up_with_a_stranger_s_address_cannot_use_it_later(client: Client):
    """The mail carries a code for the session that began, not a link that lets the stranger in."""
    stranger = Client()
    sign_up(stranger, email=ANN, password1=PASSWORD)

    assert "http" not in mail.outbox[-1].body.split("code")[1].split("\n\n")[0]
    stranger.post(reverse("account_login"), {"login": ANN, "password": PASSWORD})
    assert user_of(stranger) is None
    assert not Member.objects.exists()


def test_adding_a_number_later_makes_the_person_follow(client: Client, sinks: Path):
    join_by_email(client)
    reauthenticate(client)

    response = client.post(reverse("account_change_phone"), {"phone": "0912345678"})
    assert not User.objects.get().phone_verified
    client.post(response["Location"], {"code": code_in(texts(sinks)[-1]["text"])})

    member = Member.objects.get()
    assert (member.person.email, member.person.phone) == (ANN, PHONE)


def test_changing_the_address_makes_the_person_follow_and_warns_the_old_one(client: Client):
    join_by_email(client)
    reauthenticate(client)

    response = client.post(reverse("account_email"), {"email": "new@example.com", "action_add": ""})
    client.post(reverse("account_email_verification_sent"), {"code": code_in(mail.outbox[-1].body)})

    assert response.status_code == 302
    assert Member.objects.get().person.email == "new@example.com"
    assert [ANN] in [message.to for message in mail.outbox[2:]]
    assert list(EmailAddress.objects.values_list("email", flat=True)) == ["new@example.com"]


def reauthenticate(client: Client) -> None:
    client.post(reverse("account_reauthenticate"), {"password": PASSWORD})


def test_changing_a_number_asks_who_you_are_first(client: Client, sinks: Path):
    join_by_email(client)

    client.post(reverse("account_change_phone"), {"phone": "0912345678"})

    assert texts(sinks) == []


def test_staff_become_members_only_when_they_ask(client: Client):
    staff = User.objects.create_user(email=ANN, password=PASSWORD, is_staff=True)
    EmailAddress.objects.create(user=staff, email=ANN, primary=True, verified=False)

    response = client.post(reverse("account_login"), {"login": ANN, "password": PASSWORD})
    type_code(client, response, code_in(mail.outbox[-1].body))

    assert user_of(client) == staff
    assert not Member.objects.exists()


def test_the_code_speaks_the_language_of_the_page(client: Client, sinks: Path):
    client.post(reverse("portal:signup_by_phone"), {"phone": PHONE}, headers={"Accept-Language": "zh-hant"})

    assert code_in(texts(sinks)[-1]["text"])


def test_a_number_that_cannot_be_called_is_refused_on_the_page(client: Client):
    response = sign_up(client, phone="12")

    assert response.status_code == 200
    assert response.context["form"].errors["phone"]
    assert not User.objects.exists()


def test_changing_a_number_needs_a_code_to_the_old_one(client: Client, sinks: Path, settings: Any):
    settings.ACCOUNT_RATE_LIMITS = {"verify_phone": False, "change_phone": False, "request_login_code": False}
    join_by_phone(client, sinks)
    path, other = reverse("account_change_phone"), "+886912345679"

    refused = client.post(path, {"phone": other})
    assert "phone" in refused.context["form"].errors

    browser = Client()
    response = browser.post(reverse("account_request_login_code"), {"phone": PHONE})
    type_code(browser, response, code_in(texts(sinks)[-1]["text"]))
    response = browser.post(path, {"phone": other})
    type_code(browser, response, code_in(texts(sinks)[-1]["text"]))

    assert Member.objects.get().person.phone == other
    assert User.objects.get().phone == other


def test_a_number_that_somebody_only_typed_does_not_block_its_owner(sinks: Path, settings: Any):
    settings.ACCOUNT_RATE_LIMITS = {"verify_phone": False}
    stranger, owner = Client(), Client()
    waiting = sign_up(stranger, phone=PHONE)
    old_code = code_in(texts(sinks)[-1]["text"])

    join_by_phone(owner, sinks, PHONE)

    assert user_of(owner) == User.objects.get(phone=PHONE)
    type_code(stranger, waiting, old_code)
    assert user_of(stranger) is None
    assert Member.objects.count() == 1


def test_mails_are_written_in_the_name_of_the_programme(client: Client):
    sign_up(client, email=ANN, password1=PASSWORD)

    assert Programme.current().name in mail.outbox[-1].body
    assert "testserver" not in mail.outbox[-1].body

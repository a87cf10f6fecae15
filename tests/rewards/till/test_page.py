"""The page of the till: who may open it, how few requests a member takes, what is said when something is wrong."""

import re

import pytest
from django.test import Client

from members.accounts.models import Member
from rewards.till.models import TillAct
from tests.rewards.factories import make_login, make_member
from tests.rewards.till.making import card_of, make_clerk, make_store, make_voucher

pytestmark = pytest.mark.django_db

KEY = "k" * 20


@pytest.fixture(autouse=True)
def without_second_factor(settings):
    """Let staff in by their session alone; the last test asks for the second factor."""
    settings.STAFF_MFA_REQUIRED = False


@pytest.fixture
def clerk(client: Client):
    """Return a clerk who is logged in and has chosen a store."""
    made = make_clerk()
    make_store()
    client.force_login(made)
    assert client.post("/till/store/", {"store": "harbour"}).headers["Location"] == "/till/"
    return made


def scan(client: Client, typed: str, key: str = KEY, **headers: str):
    """Scan something."""
    return client.post("/till/scan/", {"typed": typed, "key": key}, headers=headers)


def use(client: Client, coupon, kind="USE", key="a" * 20):
    """Press the button of a voucher."""
    return client.post("/till/act/", {"kind": kind, "redemption": coupon.public_id, "scan": KEY, "key": key})


def test_visitors_members_and_staff_without_the_right_stay_outside(client: Client):
    assert client.get("/till/").headers["Location"].startswith("/accounts/login/")
    for user in (make_member(user=make_login()).user, make_login(is_staff=True)):
        client.force_login(user)
        assert client.get("/till/").status_code == client.post("/till/scan/").status_code == 403


def test_the_store_is_chosen_once(client: Client):
    client.force_login(make_clerk())
    make_store("garden")
    assert client.get("/till/").headers["Location"] == "/till/store/"
    client.post("/till/store/", {"store": "garden"})
    assert "Garden" in client.get("/till/").content.decode()


def test_a_member_takes_one_request_and_enter_and_a_new_one_one_request(client: Client, clerk):
    # A scanner types and presses Enter: one request shows who it is and what can be used.
    page = client.get("/till/").content.decode()
    assert re.search(r'<input type="text" name="typed"[^>]*autofocus', page)
    member = make_member()
    make_voucher(member, name_en="Cake")
    shown = scan(client, card_of(member)).content.decode()
    assert "Cake" in shown
    assert "Mark used" in shown
    # Phone, Tab, name, Tab, Tab, Space, Enter: 6 keys beside the text, one request.
    form = page[page.index('data-till="enrol"') : page.index("</details>")]
    order = re.findall(r'name="(phone|name|language|may_send_offers)"', form)
    assert order == ["phone", "name", "language", "may_send_offers"]
    answer = client.post("/till/enrol/", {
        "phone": "07400 123456", "name": "Mei", "language": "en", "may_send_offers": "on", "key": "e" * 20,
    })  # fmt: skip
    assert answer.status_code == 200
    made = Member.objects.get(person__phone="+447400123456")
    assert made.source == "till"
    assert list(TillAct.objects.values_list("kind", flat=True).order_by("pk")) == ["SCAN", "ENROL"]


def test_by_number_alone_coupons_are_shown_without_a_button(client: Client, clerk):
    coupon = make_voucher(name_en="Cake")
    shown = scan(client, coupon.member.number).content.decode()
    assert "Cake" in shown
    assert "Mark used" not in shown
    assert coupon.code not in shown
    assert use(client, coupon).status_code == 409


def test_a_voucher_is_used_and_taken_back(client: Client, clerk):
    coupon = make_voucher()
    scan(client, coupon.code)
    assert "Undo" in use(client, coupon).content.decode()
    assert "Mark used" in use(client, coupon, "UNDO", "b" * 20).content.decode()
    coupon.refresh_from_db()
    assert (coupon.state, coupon.store) == ("CAPTURED", None)


def test_why_a_voucher_is_not_good_is_said(client: Client, clerk):
    coupon = make_voucher(usable_after_days=3)
    shown = scan(client, coupon.code).content.decode()
    assert "This can be used from" in shown
    assert "Mark used" not in shown
    answer = use(client, coupon)
    assert (answer.status_code, "This can be used from" in answer.content.decode()) == (409, True)


def test_a_script_gets_the_result_alone_and_knows_it(client: Client, clerk):
    answer = scan(client, "nobody", **{"X-Till": "result"})
    assert (answer.status_code, answer.headers["X-Till"]) == (409, "result")
    assert "<html" not in answer.content.decode()
    assert "X-Till" not in client.get("/till/").headers


def test_after_twenty_wrong_scans_none_is_looked_at_for_a_while(client: Client, clerk):
    for number in range(20):
        scan(client, "nobody", key=f"{number:020}")
    answer = scan(client, make_voucher().code)
    assert "Too many wrong scans" in answer.content.decode()


@pytest.mark.parametrize(("language", "said"), [("zh-hans", "标记为已使用"), ("zh-hant", "標記為已使用")])
def test_it_speaks_the_language_of_the_clerk(client: Client, clerk, language, said):
    client.cookies["django_language"] = language
    assert said in scan(client, make_voucher().code).content.decode()


def test_a_phone_that_is_none_is_told_and_kept(client: Client, clerk):
    answer = client.post("/till/enrol/", {"phone": "12", "name": "Mei", "language": "en", "key": "e" * 20})
    assert answer.status_code == 422
    assert 'value="Mei"' in answer.content.decode()


def test_staff_without_a_second_factor_enrol_one_first(client: Client, clerk, settings):
    settings.STAFF_MFA_REQUIRED = True
    assert client.get("/till/").headers["Location"] == "/accounts/2fa/"

"""The page on which a member gives points."""

import re

import pytest
from django.test import Client
from django.utils import timezone

from members.accounts.cards import replace_card
from members.accounts.models import Member
from members.ledger.models import PointsGift
from members.ledger.statements import spendable_points
from tests.factories import give, make_member, make_user, set_programme

pytestmark = pytest.mark.django_db


@pytest.fixture
def giver() -> Member:
    set_programme(transfers_enabled=True, transfer_daily_limit=100)
    return make_member(points=500, user=make_user(), name="Mei Lin")


@pytest.fixture
def taker() -> Member:
    return make_member(user=make_user(), name="Kai Stone")


@pytest.fixture
def page(client: Client, giver: Member) -> Client:
    client.force_login(giver.user)
    return client


def typed(page: Client, taker: Member, **fields: object) -> dict[str, object]:
    key = re.search(r'name="key" value="([^"]+)"', page.get("/give/").content.decode())
    assert key
    return {"number": taker.number, "points": 40, "note": "Happy birthday", "key": key[1]} | fields


def test_the_gift_is_shown_with_a_masked_name_before_it_is_given(page: Client, taker: Member) -> None:
    text = page.post("/give/", typed(page, taker)).content.decode()
    assert "K** S**" in text
    assert "Kai" not in text
    assert not PointsGift.objects.exists()


def test_a_double_click_gives_once_and_both_histories_explain_it(
    page: Client, giver: Member, taker: Member, client: Client
) -> None:
    form = typed(page, taker, step="confirm")
    for _click in range(2):
        page.post("/give/", form)
    assert spendable_points(taker.pk, timezone.now()) == 40
    sentence = f"from the member number that ends in {giver.number[-4:]} to the one that ends in {taker.number[-4:]}"
    given = page.get("/history/").content.decode()
    assert sentence in given
    assert "Points given" in given
    client.force_login(taker.user)
    received = client.get("/history/").content.decode()
    assert sentence in received
    assert "Points received" in received
    assert "Happy birthday" in client.get("/give/").content.decode()


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"number": "1234567890"}, "There is no such member"),
        ({"points": 101}, "at most 100 more points"),
        ({"points": 0}, "greater than or equal to 1"),
        ({"note": "a\x00b"}, "Null characters"),
    ],
)
def test_what_cannot_be_given_is_said_in_words(
    page: Client, taker: Member, fields: dict[str, object], sentence: str
) -> None:
    answer = page.post("/give/", typed(page, taker, step="confirm") | fields)
    assert answer.status_code == 422
    assert sentence in answer.content.decode()
    assert not PointsGift.objects.exists()


def test_a_full_account_takes_no_more_and_stays_private(page: Client, taker: Member) -> None:
    set_programme(maximum_balance=540)
    give(taker, 501)
    answer = page.post("/give/", typed(page, taker, step="confirm"))
    assert answer.status_code == 422
    assert "nobody holds more than 540" in answer.content.decode()
    assert not PointsGift.objects.exists()


def test_the_own_number_is_refused(page: Client, giver: Member) -> None:
    assert "your own number" in page.post("/give/", typed(page, giver, step="confirm")).content.decode()


def test_a_lost_card_names_nobody(page: Client, taker: Member) -> None:
    form = typed(page, taker)
    replace_card(member_id=taker.pk, lost_number=taker.number, actor_id=None, reason="Stolen")
    text = page.post("/give/", form).content.decode()
    assert "There is no such member" in text
    assert "lost" not in text


def test_while_giving_is_off_there_is_no_page_and_no_link(page: Client) -> None:
    set_programme(transfers_enabled=False)
    assert page.get("/give/").headers["Location"] == "/more/"
    assert "/give/" not in page.get("/more/").content.decode()


def test_who_has_nothing_to_give_is_told_where_points_come_from(client: Client, giver: Member, taker: Member) -> None:
    client.force_login(taker.user)
    text = client.get("/give/").content.decode()
    assert "Nothing to give yet" in text
    assert 'name="points"' not in text

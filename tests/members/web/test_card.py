"""The card page: number, bars, and the code of this minute, also alone for the page that renews it."""

import re

import pytest
from django.test import Client
from django.utils import timezone

from members.accounts.access import LostCard, find_member, find_members, find_named, lost_cards
from members.accounts.cards import replace_card
from members.accounts.live_codes import live_code
from members.accounts.models import Member
from members.accounts.scanning import resolve_card
from tests.factories import make_member, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def member(client: Client) -> Member:
    user = make_user()
    client.force_login(user)
    return make_member(user=user, name="Mei Lin")


def digits_on(page: str) -> str:
    found = re.search(r'member-card__digits">(\d{4}) (\d{4})<', page)
    assert found is not None
    return found[1] + found[2]


def test_the_card_shows_a_code_that_the_till_takes(client: Client, member: Member) -> None:
    page = client.get("/card/").content.decode()
    scanned = resolve_card(typed=member.number + digits_on(page))
    assert (scanned.member, scanned.is_live) == (member, True)


def test_the_page_says_when_to_fetch_the_next_code_and_where(client: Client, member: Member) -> None:
    page = client.get("/card/").content.decode()
    assert 'data-live-code="/card/code/"' in page
    left = int(re.search(r'data-seconds-left="(\d+)"', page)[1])
    assert 1 <= left <= 60
    assert 'href="/card/">Show a fresh code' in page


def test_the_code_alone_is_no_whole_page_and_is_never_kept(client: Client, member: Member) -> None:
    answer = client.get("/card/code/")
    now = live_code(member, at=timezone.now()).digits
    assert digits_on(answer.content.decode()) in {now, live_code(member, at=timezone.now()).digits}
    assert "<html" not in answer.content.decode()
    assert "no-store" in answer["Cache-Control"]


def test_a_visitor_gets_no_code(client: Client) -> None:
    assert Client().get("/card/code/").status_code == 302


def test_the_bars_say_the_number_alone(client: Client, member: Member) -> None:
    page = client.get("/card/").content.decode()
    spoken = f"{member.number[:3]} {member.number[3:6]} {member.number[6:]}"
    assert f'aria-label="Barcode of member number {spoken}"' in page
    assert 'viewBox="0 0 110 1"' in page


def test_what_the_square_code_says_names_the_member_wherever_a_number_does(member: Member) -> None:
    text = member.number + live_code(member, at=timezone.now()).digits
    assert find_member(text) == member
    assert find_members([text])[text].member_id == member.pk
    replace_card(member_id=member.pk, lost_number=member.number, actor_id=None, reason="Bag stolen")
    for find in (find_member, find_named):
        with pytest.raises(LostCard):
            find(text)
    assert lost_cards([text]) == {text}

"""The home page: for visitors, for logins without a card, for members."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from members.accounts.models import Member
from tests.factories import give, make_member, make_staff, make_tiers, make_user, set_programme

pytestmark = pytest.mark.django_db

# Tables that every page reads for the login itself.
OF_THE_LOGIN = ("django_session", '"members_user" WHERE')


@pytest.fixture
def member() -> Member:
    return make_member(user=make_user(), name="Mei Lin")


@pytest.fixture
def page(client: Client, member: Member) -> Client:
    assert member.user is not None
    client.force_login(member.user)
    return client


def test_a_visitor_sees_the_landing_page_with_both_ways_in(client: Client) -> None:
    text = client.get("/").content.decode()
    assert "/accounts/signup/" in text
    assert "/accounts/login/" in text


def test_a_login_without_a_card_is_led_to_join(client: Client) -> None:
    client.force_login(make_user())
    assert client.get("/").headers["Location"] == "/join/"


def test_staff_without_a_card_are_led_to_their_pages(client: Client) -> None:
    client.force_login(make_staff())
    assert client.get("/").headers["Location"] == "/admin/"


def test_the_balance_stands_there_with_separators(page: Client, member: Member) -> None:
    give(member, 12480)
    assert "12,480" in page.get("/").content.decode()


@pytest.mark.parametrize("language", ["zh-hans", "zh-hant"])
def test_chinese_readers_see_separators_every_three_digits(page: Client, member: Member, language: str) -> None:
    give(member, 12480)
    page.cookies["django_language"] = language
    assert "12,480" in page.get("/").content.decode()


def test_points_that_end_soon_are_named_with_their_last_day(page: Client, member: Member) -> None:
    set_programme(zone="Asia/Taipei")
    end = (timezone.now() + timedelta(days=20)).replace(hour=16, minute=0, second=0, microsecond=0)
    give(member, 340, expires_at=end)
    text = page.get("/").content.decode()
    assert "340 points expire soon" in text
    # The instant is 16:00 UTC, midnight in Taipei: the last day is the local day before it.
    assert f"Last day to use them: {end.strftime('%-d %B %Y')}" in text


def test_points_that_end_late_raise_no_alarm(page: Client, member: Member) -> None:
    give(member, 340, expires_at=timezone.now() + timedelta(days=200))
    assert "expire soon" not in page.get("/").content.decode()


def test_the_way_to_the_next_tier_is_a_bar_with_figures(page: Client) -> None:
    make_tiers()
    text = page.get("/").content.decode()
    assert '<progress id="tier-progress" value="0" max="500">' in text
    assert "0 points of 500 points" in text
    assert "500 points to go to Silver" in text


def test_a_programme_without_tiers_has_no_bar(page: Client) -> None:
    assert "<progress" not in page.get("/").content.decode()


def test_home_asks_the_database_six_questions_for_any_number_of_entries(page: Client, member: Member) -> None:
    make_tiers()
    for _each in range(7):
        give(member, 10)
    page.get("/")
    with CaptureQueriesContext(connection) as seen:
        page.get("/")
    own = [query["sql"] for query in seen if not any(table in query["sql"] for table in OF_THE_LOGIN)]
    # One of them asks whether another membership was merged into this one.
    assert len(own) <= 6, own


def test_whoever_has_no_birthday_is_asked_for_it(page: Client, member: Member) -> None:
    assert "Tell us your birthday" in page.get("/").content.decode()
    member.person.birth_month, member.person.birth_day = 5, 6
    member.person.save()
    assert "Tell us your birthday" not in page.get("/").content.decode()


def test_a_closed_membership_shows_nothing(page: Client, member: Member) -> None:
    Member.objects.filter(pk=member.pk).update(status=Member.Status.CLOSED)
    assert page.get("/").headers["Location"] == "/join/"

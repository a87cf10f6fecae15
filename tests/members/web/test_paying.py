"""The home page says what points are worth at the till."""

import pytest
from django.test import Client

from members.programme.models import PointsValue
from tests.factories import give, make_member, make_user, set_programme

pytestmark = pytest.mark.django_db


@pytest.fixture
def member(client: Client):
    PointsValue.objects.create(currency="GBP", points=100, amount=100)
    set_programme(pays_with_points=True, pay_minimum=500, pay_share=50)
    user = make_user()
    client.force_login(user)
    return make_member(user=user, points=1240)


def home(client: Client, language: str = "en") -> str:
    return client.get("/", headers={"Accept-Language": language}).content.decode()


def test_it_says_what_the_balance_is_worth_and_how_far_it_goes(client, member):
    page = home(client)
    assert "Pay with points" in page
    assert "Your 1,240 points pay up to 12.00 GBP." in page
    assert "500 points = 5.00 GBP, at most half of a purchase." in page


def test_below_the_minimum_it_says_how_many_are_missing(client, member):
    set_programme(pay_minimum=2000)
    page = home(client)
    assert "760 more points, and you can pay with them." in page
    assert "pay up to" not in page
    give(member, 759)
    assert "1 more point, and you can pay with them." in home(client)


@pytest.mark.parametrize("settings", [{"pays_with_points": False}, {"pay_share": 0}])
def test_where_points_pay_nothing_the_card_is_not_there(client, member, settings):
    set_programme(**settings)
    assert "Pay with points" not in home(client)


def test_without_a_value_in_the_programmes_currency_the_card_is_not_there(client, member):
    PointsValue.objects.update(currency="EUR")
    assert "Pay with points" not in home(client)


@pytest.mark.parametrize(
    ("language", "title", "terms"),
    [
        ("zh-hans", "用积分支付", "500 积分 = 5.00 GBP，最多可支付订单的一半。"),
        ("zh-hant", "用點數付款", "500 點 = 5.00 GBP，最多可折抵消費金額的一半。"),
    ],
)
def test_it_speaks_the_readers_language(client, member, language, title, terms):
    page = home(client, language)
    assert title in page
    assert terms in page

"""The pages of paid membership: compare, try, order, change, cancel, carry on."""

import re

import pytest
from django.test import Client

from members.jobs import outbox
from members.plans.models import PlanPayment, Subscription
from members.plans.subscribing import start_trial
from tests.factories import make_member, make_tiers
from tests.members.plans.makers import make_confirmed_member, make_plan, pay_all

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def stand_in(settings):
    """Let the stand-in take the payments."""
    settings.PLAN_PROVIDER = "test"


@pytest.fixture
def member():
    return make_confirmed_member()


@pytest.fixture
def page(client: Client, member):
    client.force_login(member.user)
    return client


def send(page: Client, path: str, **fields: str) -> str:
    """Open a page and press its button; return the page that follows."""
    key = re.search(r'name="key" value="([^"]+)"', page.get(path).content.decode())
    assert key
    target = path.partition("?")[0]
    return page.post(target, {"key": key[1], **fields}, follow=True).content.decode()


@pytest.mark.parametrize("language", ["en", "zh-hans", "zh-hant"])
def test_plans_are_compared_in_every_language_without_inline_style(page, language):
    make_tiers()
    make_plan(name_en="Harbour Plus", name_zh_hans="海港优享", name_zh_hant="海港優享", gift_points=300, trial_days=14)
    page.cookies["django_language"] = language
    text = page.get("/plans/").content.decode()
    assert {"en": "Harbour Plus", "zh-hans": "海港优享", "zh-hant": "海港優享"}[language] in text
    assert "10.00" in text
    assert not re.search(r"<style|\sstyle=|\son[a-z]+=", text)


def test_the_page_says_what_a_plan_costs_and_brings(page):
    make_tiers()
    make_plan(gift_points=300, trial_days=14, months=12, perks_en="Free delivery")
    text = page.get("/plans/").content.decode()
    for words in ("10.00 GBP a year", "Silver as long as you pay", "300 points each period", "Free delivery",
                  "14 days to try, free"):  # fmt: skip
        assert words in text


def test_visitors_sign_in_first(client):
    assert client.get("/plans/").headers["Location"] == "/accounts/login/?next=/plans/"


def test_without_plans_the_page_says_so(page):
    assert "no paid membership on offer" in page.get("/plans/").content.decode()


def test_ordering_asks_once_more_and_the_payment_makes_it_run(page, member):
    plan = make_plan()
    assert "Waits for the first payment" in send(page, f"/plans/{plan.code}/")
    pay_all()
    text = page.get("/plans/").content.decode()
    assert "Next payment: 10.00 GBP on" in text
    assert "Your plan" in text
    assert Subscription.objects.get().member_id == member.pk


def test_a_form_sent_twice_orders_once(page):
    plan = make_plan()
    key = {"key": "k" * 24}
    for _repeat in range(2):
        page.post(f"/plans/{plan.code}/", key)
    assert (Subscription.objects.count(), PlanPayment.objects.count()) == (1, 1)


@pytest.mark.parametrize("key", ["", "short", "x" * 65, "with space and more"])
def test_a_form_without_a_good_key_orders_nothing(page, key):
    plan = make_plan()
    page.post(f"/plans/{plan.code}/", {"key": key})
    assert not Subscription.objects.exists()


def test_the_trial_is_offered_to_those_who_had_none(page, member):
    plan = make_plan(trial_days=14)
    assert "Try it free" in page.get("/plans/").content.decode()
    send(page, f"/plans/{plan.code}/?trial=1", trial="True")
    assert Subscription.objects.get().state == "TRIAL"
    Subscription.objects.update(state="ENDED")
    assert "Try it free" not in page.get("/plans/").content.decode()
    refused = page.post(f"/plans/{plan.code}/", {"key": "k" * 24, "trial": "True"}, follow=True).content.decode()
    assert "used your trial already" in refused


def test_an_upgrade_shows_what_is_to_pay_before_it_is_ordered(page, member):
    small, large = make_plan(trial_days=14), make_plan(price=3000)
    start_trial(member_id=member.pk, plan_id=small.pk, key="t", provider="test")
    assert "You pay 30.00 GBP now" in page.get(f"/plans/{large.code}/").content.decode()
    send(page, f"/plans/{large.code}/")
    outbox.drain()
    assert Subscription.objects.get().plan_id == large.pk


def test_a_smaller_plan_is_ordered_for_the_next_period(page, member):
    small, large = make_plan(), make_plan(price=3000, trial_days=14)
    start_trial(member_id=member.pk, plan_id=large.pk, key="t", provider="test")
    assert "Nothing is taken now" in page.get(f"/plans/{small.code}/").content.decode()
    assert "Next payment: 10.00 GBP" in send(page, f"/plans/{small.code}/")


def test_cancelling_asks_once_more_and_can_be_taken_back(page, member):
    plan = make_plan(trial_days=14)
    start_trial(member_id=member.pk, plan_id=plan.pk, key="t", provider="test")
    assert "stays yours until the end of" in page.get("/plans/cancel/").content.decode()
    assert Subscription.objects.get().state == "TRIAL"
    assert "nothing more will be taken" in send(page, "/plans/cancel/")
    assert Subscription.objects.get().state == "CANCELLED"
    page.post("/plans/resume/", {"key": "r" * 24})
    assert Subscription.objects.get().state == "TRIAL"


@pytest.mark.parametrize("path", ["/plans/cancel/", "/plans/resume/"])
def test_nobody_touches_the_subscription_of_another(page, path):
    other = make_member()
    plan = make_plan(price=0)
    from members.plans.subscribing import subscribe

    subscribe(member_id=other.pk, plan_id=plan.pk, key="o", provider="test")
    assert page.post(path, {"key": "k" * 24}).headers["Location"] == "/plans/"
    assert Subscription.objects.get().state == "ACTIVE"


def test_a_plan_that_is_not_sold_leads_back(page):
    assert page.get(f"/plans/{make_plan(is_active=False).code}/").headers["Location"] == "/plans/"
    assert page.get("/plans/unheard-of/").status_code == 404

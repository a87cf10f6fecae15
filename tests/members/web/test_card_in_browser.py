"""The card page in a real browser at the width of a phone: the code renews itself, and says so when it cannot."""

import re

import pytest
from django.test import Client
from playwright.sync_api import Browser, Page, Route, expect
from pytest_django.live_server_helper import LiveServer

from members.accounts.models import Member
from tests.factories import make_member, make_tiers, make_user

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

PHONE = {"width": 390, "height": 844}
DIGITS = ".member-card__digits"


@pytest.fixture
def member() -> Member:
    make_tiers()
    return make_member(user=make_user(), name="Mei Lin")


def cookies_of(member: Member, address: str) -> list[dict[str, str]]:
    client = Client()
    client.force_login(member.user)
    return [{"name": name, "value": morsel.value, "url": address} for name, morsel in client.cookies.items()]


@pytest.fixture
def card(browser_page: Page, live_server: LiveServer, member: Member) -> Page:
    browser_page.context.add_cookies(cookies_of(member, live_server.url))
    browser_page.set_viewport_size(PHONE)
    return browser_page


def hurry(route: Route) -> None:
    """Let the minute of what is shown be over in a second."""
    answer = route.fetch()
    text = answer.text()
    seconds = text.split('data-seconds-left="')[1].split('"')[0]
    route.fulfill(response=answer, body=text.replace(f'data-seconds-left="{seconds}"', 'data-seconds-left="1"'))


def test_the_code_renews_itself_without_a_reload_and_fits_a_phone(card: Page, live_server: LiveServer) -> None:
    card.route("**/card/", hurry)
    fetched: list[str] = []

    def next_code(route: Route) -> None:
        fetched.append(route.request.url)
        shown = f'<i data-seconds-left="1"></i><span class="member-card__digits">{len(fetched)}</span>'
        route.fulfill(body=shown, content_type="text/html")

    card.route("**/card/code/", next_code)
    card.goto(live_server.url + "/card/")
    expect(card.locator("[data-live-code-static]")).to_be_hidden()
    card.evaluate("window.marked = true")
    expect(card.locator(DIGITS)).to_have_text("3", timeout=10_000)
    assert card.evaluate("window.marked") is True
    assert card.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]


def test_the_fetched_code_is_drawn_like_the_first(card: Page, live_server: LiveServer) -> None:
    card.route("**/card/", hurry)
    card.goto(live_server.url + "/card/")
    box = card.locator(".member-card__qr svg").bounding_box()
    with card.expect_response("**/card/code/"):
        pass
    expect(card.locator(DIGITS)).to_have_text(re.compile(r"^\d{4} \d{4}$"))
    assert card.locator(".member-card__qr svg").bounding_box() == box
    assert box is not None
    assert box["width"] >= 200
    bars = card.locator(".member-card__bars svg").bounding_box()
    assert (bars["width"], bars["height"] >= 40) == (220, True)


def test_without_a_connection_the_card_says_that_the_code_may_be_old(
    browser: Browser, live_server: LiveServer, member: Member
) -> None:
    # A page of its own: a request that fails is an error in the console, and that is meant here.
    context = browser.new_context(locale="en", viewport=PHONE)
    context.add_cookies(cookies_of(member, live_server.url))
    page = context.new_page()
    page.route("**/card/", hurry)
    page.route("**/card/code/", lambda route: route.abort())
    page.goto(live_server.url + "/card/")
    expect(page.get_by_text("No connection: this code may be too old.")).to_be_visible(timeout=10_000)
    page.unroute("**/card/code/")
    expect(page.get_by_text("No connection: this code may be too old.")).to_be_hidden(timeout=15_000)
    context.close()


def test_without_script_a_link_shows_a_fresh_code(browser: Browser, live_server: LiveServer, member: Member) -> None:
    context = browser.new_context(locale="en", viewport=PHONE, java_script_enabled=False)
    context.add_cookies(cookies_of(member, live_server.url))
    page = context.new_page()
    page.goto(live_server.url + "/card/")
    expect(page.locator(DIGITS)).to_be_visible()
    page.get_by_role("link", name="Show a fresh code").click()
    expect(page.locator(DIGITS)).to_be_visible()
    context.close()

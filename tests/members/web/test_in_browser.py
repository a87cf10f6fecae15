"""The pages in a real browser: policy, width, targets, theme, language. An error in the console fails each test."""

import pytest
from django.test import Client
from playwright.sync_api import Page
from pytest_django.live_server_helper import LiveServer

from members.accounts.models import Member
from tests.factories import give, make_member, make_tiers, make_user

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

PORTAL = ["/", "/card/", "/history/", "/tiers/", "/profile/", "/more/"]
TARGETS = "a.button, button, a.row, summary.row, .tabbar__tab, .nav-link, .brand, select, .field input"


@pytest.fixture
def member() -> Member:
    make_tiers()
    member = make_member(user=make_user(), name="Mei Lin")
    give(member, 1240)
    return member


@pytest.fixture
def signed_in(browser_page: Page, live_server: LiveServer, member: Member) -> Page:
    client = Client()
    assert member.user is not None
    client.force_login(member.user)
    cookies = [{"name": name, "value": morsel.value, "url": live_server.url} for name, morsel in client.cookies.items()]
    browser_page.context.add_cookies(cookies)
    return browser_page


@pytest.mark.parametrize("width", [320, 390, 1280])
def test_no_page_scrolls_sideways_or_breaks_the_policy(signed_in: Page, live_server: LiveServer, width: int) -> None:
    signed_in.set_viewport_size({"width": width, "height": 844})
    for path in PORTAL:
        signed_in.goto(live_server.url + path)
        assert signed_in.evaluate("document.documentElement.scrollWidth") <= width, path


def test_everything_to_tap_is_44_pixels_high(signed_in: Page, live_server: LiveServer) -> None:
    signed_in.set_viewport_size({"width": 390, "height": 844})
    for path in PORTAL:
        signed_in.goto(live_server.url + path)
        small = signed_in.eval_on_selector_all(
            TARGETS,
            """all => all.filter(one => one.checkVisibility() && one.type !== 'checkbox')
                .map(one => [one.outerHTML.slice(0, 80), one.getBoundingClientRect().height])
                .filter(([, height]) => height < 43.9)""",
        )
        assert small == [], path


def test_the_chosen_theme_holds_on_the_next_page_before_it_is_painted(signed_in: Page, live_server: LiveServer) -> None:
    signed_in.emulate_media(color_scheme="light")
    signed_in.goto(live_server.url + "/")
    light = signed_in.evaluate("getComputedStyle(document.body).backgroundColor")
    signed_in.get_by_role("button", name="Dark").click()
    dark = signed_in.evaluate("getComputedStyle(document.body).backgroundColor")
    assert dark != light
    # Without the module that draws the switch: the blocking file alone has set the theme.
    signed_in.route("**/theme-switch.js", lambda route: route.fulfill(body="", content_type="text/javascript"))
    signed_in.goto(live_server.url + "/card/")
    assert signed_in.evaluate("getComputedStyle(document.body).backgroundColor") == dark


def test_the_language_changes_on_the_same_page(signed_in: Page, live_server: LiveServer) -> None:
    signed_in.goto(live_server.url + "/tiers/")
    signed_in.get_by_role("button", name="繁體中文").click()
    signed_in.wait_for_function("document.documentElement.lang === 'zh-Hant'")
    assert signed_in.url == live_server.url + "/tiers/"


def test_the_reason_of_an_entry_opens_with_the_keyboard(signed_in: Page, live_server: LiveServer) -> None:
    signed_in.goto(live_server.url + "/history/")
    assert not signed_in.get_by_text("Last day to use these points").is_visible()
    signed_in.locator("summary").first.focus()
    signed_in.keyboard.press("Enter")
    assert signed_in.get_by_text("Last day to use these points").is_visible()


def test_the_code_on_the_card_is_white_and_large_in_the_dark(signed_in: Page, live_server: LiveServer) -> None:
    signed_in.emulate_media(color_scheme="dark")
    signed_in.set_viewport_size({"width": 390, "height": 844})
    signed_in.goto(live_server.url + "/card/")
    frame = signed_in.locator(".member-card__qr")
    assert frame.evaluate("one => getComputedStyle(one).backgroundColor") == "rgb(255, 255, 255)"
    box = frame.locator("svg").bounding_box()
    assert box is not None
    assert box["width"] >= 200

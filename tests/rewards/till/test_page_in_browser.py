"""The till on a phone: scan, use, take back; and what happens when no answer comes."""

from typing import Any

import pytest
from django.test import Client
from playwright.sync_api import Page, Route, expect
from pytest_django.live_server_helper import LiveServer

from rewards.redemption.models import Redemption
from rewards.till.models import TillAct
from tests.rewards.till.making import make_clerk, make_store, make_voucher

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

PHONE = {"width": 390, "height": 844}


@pytest.fixture
def till(browser_page: Page, live_server: LiveServer, settings: Any) -> Page:
    """Return the till of a clerk who has chosen a store."""
    settings.STAFF_MFA_REQUIRED = False
    client = Client()
    client.force_login(make_clerk())
    make_store()
    client.post("/till/store/", {"store": "harbour"})
    found = [{"name": name, "value": m.value, "url": live_server.url} for name, m in client.cookies.items()]
    browser_page.context.add_cookies(found)
    browser_page.set_viewport_size(PHONE)
    browser_page.goto(live_server.url + "/till/")
    return browser_page


def test_scan_use_and_undo_by_keyboard_on_a_phone(till: Page) -> None:
    coupon = make_voucher(name_en="Cake")
    till.keyboard.type(coupon.code)
    till.keyboard.press("Enter")
    expect(till.locator("[data-till-result]").get_by_text("Cake")).to_be_visible()
    assert till.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    till.get_by_role("button", name="Mark used").click()
    expect(till.get_by_text("Done: marked used.")).to_be_visible()
    assert Redemption.objects.get().state == "FULFILLED"
    till.get_by_role("button", name="Undo").click()
    expect(till.get_by_text("Taken back: it can be used again.")).to_be_visible()
    assert Redemption.objects.get().state == "CAPTURED"
    expect(till.get_by_label("Card or voucher")).to_be_focused()
    expect(till.get_by_label("Card or voucher")).to_have_value("")


def test_an_answer_that_was_lost_is_asked_for_again_with_the_same_key(till: Page) -> None:
    coupon = make_voucher()
    till.keyboard.type(coupon.code)
    till.keyboard.press("Enter")
    sent: list[str] = []

    def lose_the_first_answer(route: Route) -> None:
        sent.append(route.request.post_data or "")
        answer = route.fetch()
        if len(sent) == 1:
            # It arrived and was done; only the answer is lost: a page without the till's mark.
            route.fulfill(status=200, body="", content_type="text/html")
        else:
            route.fulfill(response=answer)

    till.route("**/till/act/", lose_the_first_answer)
    till.get_by_role("button", name="Mark used").click()
    expect(till.get_by_text("nothing is done twice")).to_be_visible()
    till.get_by_role("button", name="Send again").click()
    expect(till.get_by_text("Done: marked used.")).to_be_visible()
    expect(till.get_by_text("nothing is done twice")).to_be_hidden()
    assert sent[0] == sent[1]
    assert TillAct.objects.filter(kind="USE").count() == 1

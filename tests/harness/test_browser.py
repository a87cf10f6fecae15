"""The browser sees the site, and its complaints fail a test."""

import pytest

pytestmark = [pytest.mark.browser, pytest.mark.redis]


def test_the_login_page_opens_without_an_error_of_its_scripts(live_site, browser_page):
    browser_page.goto(f"{live_site.url}/accounts/login/")
    assert browser_page.locator("form").count() >= 1
    assert browser_page.locator("input[name=csrfmiddlewaretoken]").count() >= 1

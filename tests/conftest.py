"""Fixtures of every test: the restored database, the books, a real site, real mail, a real browser."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings
from django.core.cache import cache
from django.db import connection
from django.test import TransactionTestCase
from django.utils import translation
from playwright.sync_api import Browser, Page
from pytest_django.plugin import DjangoDbBlocker

from members.accounts.api_keys import forget_remembered
from members.earning.evaluation import forget_compiled
from members.ledger.audit import find_problems
from members.programme.models import forget_cached
from tests.harness import pristine
from tests.harness.browser import running_browser
from tests.harness.mail import SmtpSink, running_sink
from tests.harness.site import LiveSite, start_site


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> None:
    """Remember the freshly migrated database, so that tests with real transactions can restore it."""
    with django_db_blocker.unblock():
        pristine.remember()
    TransactionTestCase._fixture_teardown = lambda self: pristine.restore()  # type: ignore[attr-defined]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item: pytest.Item) -> Iterator[None]:
    """After every test that used the database the books must still be right."""
    problems = problems_after(item)
    result = yield
    assert not problems, f"the books are wrong after this test: {problems}"
    return result


# A REDEEM entry belongs to a redemption of the app above; tests of the ledger alone have none.
_ABOVE_THE_LEDGER = ("redeem entries", "refund entries")


def problems_after(item: pytest.Item) -> list[str]:
    """Return what is wrong in the books; nothing for a test without database or with a broken transaction."""
    names = set(getattr(item, "fixturenames", ()))
    uses_database = item.get_closest_marker("django_db") is not None or names & {"db", "transactional_db"}
    if not uses_database or item.get_closest_marker("wrong_books") or connection.needs_rollback:
        return []
    if "one_shop" in names:
        # Its worker goes on between tests; the shop looks at the books when it closes.
        return []
    if "live_site" in names:
        # A worker that is still busy would change the books while they are read.
        item.funcargs["live_site"].stop()  # type: ignore[attr-defined]
    leave_out = _ABOVE_THE_LEDGER if item.get_closest_marker("ledger_alone") else ()
    return find_problems(leave_out=leave_out)


@pytest.fixture(autouse=True)
def fresh_start() -> None:
    """Let no test see what another left in a cache, or the language of its last page."""
    cache.clear()
    # In tests points end at their end; those about notices switch them on.
    settings.PROGRAMME_DEFAULTS["notice_days"] = None  # type: ignore[assignment]
    forget_cached()
    forget_compiled()
    forget_remembered()
    translation.deactivate()


@pytest.fixture
def redis_url() -> str:
    """Return the address of a Redis for this test."""
    return os.environ["TEST_REDIS_URL"]


@pytest.fixture
def smtp_sink() -> Iterator[SmtpSink]:
    """Return a running mail server that records what it receives."""
    with running_sink() as sink:
        yield sink


@pytest.fixture
def live_site(transactional_db: None, smtp_sink: SmtpSink, redis_url: str, tmp_path: Path) -> Iterator[LiveSite]:
    """Return the site as real processes over the database of this test."""
    site = start_site(tmp_path, smtp_sink, redis_url)
    yield site
    site.stop()


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Return one headless Chromium for all tests."""
    with running_browser() as browser:
        yield browser


@pytest.fixture
def browser_page(browser: Browser) -> Iterator[Page]:
    """Return a fresh page, as on a new visitor's machine; an error in its scripts fails the test."""
    context = browser.new_context(locale="en")
    page = context.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("console", lambda line: errors.append(line.text) if line.type == "error" else None)
    yield page
    context.close()
    assert not errors, errors

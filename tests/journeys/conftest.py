"""One shop for all journeys, and new people for each."""

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser
from pytest_django.plugin import DjangoDbBlocker

from tests.journeys.shop import Shop, forget_tries, shared_shop
from tests.journeys.visitors import Visitor

PHONE = {"width": 390, "height": 844}


@pytest.fixture(scope="package")
def one_shop(
    django_db_setup: None, django_db_blocker: DjangoDbBlocker, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Shop]:
    """Open the shop once: starting its processes costs more than most journeys."""
    with django_db_blocker.unblock(), shared_shop(tmp_path_factory.mktemp("site")) as shop:
        yield shop


@pytest.fixture
def shop(one_shop: Shop) -> Shop:
    """Return the open shop, as busy as at the start: nobody is held up by what others have tried before."""
    forget_tries()
    return one_shop


@pytest.fixture
def visit(shop: Shop, browser: Browser) -> Iterator[Callable[[], Visitor]]:
    """Return what brings one more person with an empty browser; an error in any console fails the test."""
    contexts = []
    errors: list[str] = []

    def arrive() -> Visitor:
        context = browser.new_context(locale="en", viewport=PHONE)  # type: ignore[arg-type]
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(30_000)
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("console", lambda line: errors.append(line.text) if line.type == "error" else None)
        return Visitor(page, shop)

    yield arrive
    for context in contexts:
        context.close()
    assert not errors, errors

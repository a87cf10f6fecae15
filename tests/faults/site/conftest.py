"""One shop for all faults; whatever a test kills is running again for the next one."""

from collections.abc import Iterator

import pytest
from pytest_django.plugin import DjangoDbBlocker

from tests.journeys.shop import Shop, forget_tries, shared_shop


@pytest.fixture(scope="package")
def one_shop(
    django_db_setup: None, django_db_blocker: DjangoDbBlocker, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Shop]:
    """Open the shop once."""
    with django_db_blocker.unblock(), shared_shop(tmp_path_factory.mktemp("site")) as shop:
        yield shop


@pytest.fixture
def shop(one_shop: Shop) -> Iterator[Shop]:
    """Return the open shop with all its processes."""
    forget_tries()
    yield one_shop
    for name in ("web", "worker", "scheduler"):
        if name not in one_shop.site.processes:
            one_shop.site.start(name)
    one_shop.wait(lambda: one_shop.site.status("/healthz") == 200, seconds=60)

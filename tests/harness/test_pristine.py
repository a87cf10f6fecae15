"""The database is whole again after a test with real transactions."""

import threading

import pytest
from django.contrib.contenttypes.models import ContentType
from django.db import connection

from members.accounts.models import Store


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("turn", [1, 2])
def test_what_a_test_commits_is_gone_in_the_next(turn):
    assert not Store.objects.exists()
    store = Store.objects.create(code="north", name="North")
    assert store.pk == 1


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("turn", [1, 2])
def test_what_migrations_made_is_still_there(turn):
    kinds = ContentType.objects.count()
    assert kinds > 10
    new = ContentType.objects.create(app_label="north", model="star")
    assert new.pk > kinds


@pytest.mark.django_db(transaction=True)
def test_another_thread_sees_what_was_committed():
    Store.objects.create(code="south", name="South")
    seen: list[int] = []

    def look() -> None:
        seen.append(Store.objects.filter(code="south").count())
        connection.close()

    thread = threading.Thread(target=look)
    thread.start()
    thread.join()
    assert seen == [1]


@pytest.mark.postgres
@pytest.mark.django_db
def test_the_postgres_run_is_on_postgres():
    assert connection.vendor == "postgresql"

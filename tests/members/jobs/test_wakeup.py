"""Waking workers: after commit, not too often, and never in the way."""

import pytest
from django.db import transaction

from members.jobs import outbox, wakeup
from members.jobs.models import Outbox

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def knocks(monkeypatch):
    """The knocks so far."""
    monkeypatch.setattr(wakeup, "_wake", None)
    heard = []
    wakeup.install(lambda: heard.append("knock"))
    return heard


def enqueue():
    outbox.enqueue(kind="test", payload={})


def test_a_worker_is_woken_only_after_commit(knocks):
    with transaction.atomic():
        enqueue()
        assert knocks == []
    assert knocks == ["knock"]


def test_nobody_is_woken_for_a_change_that_is_undone(knocks):
    with transaction.atomic():
        enqueue()
        transaction.set_rollback(True)
    assert knocks == []


def test_many_changes_in_a_row_knock_once(knocks):
    for _ in range(5):
        enqueue()
    assert knocks == ["knock"]


def test_a_broker_that_is_down_changes_nothing(monkeypatch):
    def fail():
        raise ConnectionError

    monkeypatch.setattr(wakeup, "_wake", None)
    wakeup.install(fail)
    enqueue()
    assert Outbox.objects.count() == 1

"""The outbox: at least once, with a lease and a limit."""

from datetime import timedelta

import pytest
from django.utils import timezone

from members.jobs import outbox
from members.jobs.models import Outbox
from tests.harness.races import run_together

pytestmark = pytest.mark.django_db


@pytest.fixture
def done(monkeypatch):
    """What the handler of kind ``test`` was called with."""
    monkeypatch.setattr(outbox, "_handlers", {})
    calls = []
    outbox.handles("test")(calls.append)
    return calls


def broken_handler(monkeypatch):
    def fail(payload):
        raise ValueError("broken")

    monkeypatch.setattr(outbox, "_handlers", {"test": fail})


def test_a_due_row_is_done_once(done):
    outbox.enqueue(kind="test", payload={"id": 7})
    outbox.drain()
    outbox.drain()
    assert done == [{"id": 7}]
    assert Outbox.objects.get().state == "DONE"


def test_the_same_key_is_written_once(done):
    for _again in range(2):
        outbox.enqueue(kind="test", payload={}, key="once")
    assert Outbox.objects.count() == 1


def test_a_row_waits_until_it_is_due(done):
    outbox.enqueue(kind="test", payload={}, due_at=timezone.now() + timedelta(hours=1))
    assert outbox.drain() == 0


def test_a_row_that_fails_comes_back_later_and_keeps_the_reason(monkeypatch):
    broken_handler(monkeypatch)
    outbox.enqueue(kind="test", payload={})
    outbox.drain()
    row = Outbox.objects.get()
    assert (row.state, row.attempts) == ("PENDING", 1)
    assert row.due_at > timezone.now()
    assert "broken" in row.last_error


def test_a_row_that_keeps_failing_is_given_up_and_can_be_revived(monkeypatch):
    broken_handler(monkeypatch)
    outbox.enqueue(kind="test", payload={})
    for _ in range(outbox.MAX_ATTEMPTS):
        Outbox.objects.update(due_at=timezone.now())
        outbox.drain()
    assert Outbox.objects.get().state == "DEAD"
    assert outbox.drain() == 0
    outbox.retry_dead(outbox_id=Outbox.objects.get().pk)
    assert Outbox.objects.get().state == "PENDING"


def test_the_row_of_a_killed_worker_is_taken_over_when_its_lease_ends(done):
    outbox.enqueue(kind="test", payload={})
    Outbox.objects.update(attempts=1, lease_until=timezone.now() + timedelta(seconds=60))
    assert outbox.drain() == 0
    Outbox.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    outbox.drain()
    assert len(done) == 1


def test_a_row_that_kills_every_worker_stops_after_the_limit(done):
    outbox.enqueue(kind="test", payload={})
    Outbox.objects.update(attempts=outbox.MAX_ATTEMPTS, lease_until=timezone.now() - timedelta(seconds=1))
    outbox.drain()
    assert done == []
    assert Outbox.objects.get().state == "DEAD"


def test_a_worker_that_lost_its_lease_does_not_settle_the_row(monkeypatch):
    def taken_over(payload):
        Outbox.objects.update(attempts=2)

    monkeypatch.setattr(outbox, "_handlers", {"test": taken_over})
    outbox.enqueue(kind="test", payload={})
    outbox.drain(limit=1)
    assert Outbox.objects.get().state == "PENDING"


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_many_workers_share_the_rows_without_doing_one_twice(done):
    for number in range(40):
        outbox.enqueue(kind="test", payload={"n": number})
    run_together([outbox.drain] * 4)
    assert sorted(call["n"] for call in done) == list(range(40))

"""Readers see every event once, in commit order, and are not held up by one that fails."""

import threading

import pytest
from django.db import connection, transaction

from members.events import log, readers
from members.events.models import Event, EventReader
from members.jobs import outbox
from members.jobs.models import Outbox
from tests.harness.races import run_together

pytestmark = pytest.mark.django_db


@pytest.fixture
def seen(monkeypatch):
    """A reader of kind ``test`` that keeps what it saw; all others are set aside."""
    monkeypatch.setattr(readers, "_readers", {})
    events = []
    readers.reader("keeper", kinds={"test"})(events.append)
    return events


def write(number, kind="test"):
    with transaction.atomic():
        return log.write_event(kind=kind, member_id=None, data={"n": number})


def numbers(seen):
    return [event.data["n"] for event in seen]


@pytest.mark.django_db(transaction=True)
def test_a_reader_sees_each_event_once_and_in_order(seen):
    for number in range(3):
        write(number)
    readers.read_all()
    write(3)
    readers.read_all()
    assert numbers(seen) == [0, 1, 2, 3]


@pytest.mark.django_db(transaction=True)
def test_a_reader_sees_only_its_kinds_and_moves_past_the_others(seen):
    write(1, kind="other")
    write(2)
    readers.read_all()
    assert numbers(seen) == [2]
    assert EventReader.objects.get(name="keeper").event_id == Event.objects.latest("pk").pk


@pytest.mark.django_db(transaction=True)
def test_more_events_than_one_batch_are_all_read(seen, monkeypatch):
    monkeypatch.setattr(readers, "_BATCH", 2)
    for number in range(5):
        write(number)
    assert readers.read_all() == 5


@pytest.mark.django_db(transaction=True)
def test_an_event_that_fails_is_parked_and_retried_without_holding_up_the_next(monkeypatch):
    monkeypatch.setattr(readers, "_readers", {})
    broken, done = [True], []

    def react(event):
        if event.data["n"] == 1 and broken[0]:
            raise ValueError("not today")
        done.append(event.data["n"])

    readers.reader("fragile", kinds={"test"})(react)
    for number in range(3):
        write(number)
    readers.read_all()
    assert done == [0, 2]
    assert Outbox.objects.get().kind == "reader:fragile"
    broken[0] = False
    outbox.drain()
    assert done == [0, 2, 1]


@pytest.mark.django_db(transaction=True)
def test_what_a_failing_reader_wrote_is_undone(monkeypatch):
    monkeypatch.setattr(readers, "_readers", {})

    def react(event):
        log.write_event(kind="half", member_id=None, data={})
        raise ValueError("after the write")

    readers.reader("fragile", kinds={"test"})(react)
    write(1)
    readers.read_all()
    assert not Event.objects.filter(kind="half").exists()


@pytest.mark.django_db(transaction=True)
def test_an_event_outside_a_transaction_is_refused():
    with pytest.raises(log.OutsideTransaction):
        log.write_event(kind="test", member_id=None, data={})


def test_an_event_of_a_change_that_is_undone_never_happened(seen):
    with transaction.atomic():
        log.write_event(kind="test", member_id=None, data={})
        transaction.set_rollback(True)
    assert not Event.objects.exists()


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_an_event_that_commits_late_is_not_skipped(seen):
    written, release = threading.Event(), threading.Event()

    def slow():
        with transaction.atomic():
            log.write_event(kind="test", member_id=None, data={"n": "slow"})
            written.set()
            release.wait(10)
        connection.close()

    thread = threading.Thread(target=slow)
    thread.start()
    written.wait(10)
    write("fast")
    readers.read_all()
    assert "fast" not in numbers(seen)
    release.set()
    thread.join()
    readers.read_all()
    assert sorted(numbers(seen)) == ["fast", "slow"]


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_two_workers_do_not_read_the_same_event(seen):
    for number in range(50):
        write(number)
    run_together([readers.read_all] * 4)
    assert numbers(seen) == list(range(50))

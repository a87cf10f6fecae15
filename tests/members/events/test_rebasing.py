"""After a restore into another server the readers carry on where they were."""

import pytest
from django.core.management import call_command
from django.db import transaction

from members.events import log, readers
from members.events.models import Event, EventReader
from members.events.rebasing import is_ahead
from members.ledger.audit import find_problems
from members.lib import guards

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]

FAR_AHEAD = 10**12


@pytest.fixture
def seen(monkeypatch):
    """What the only reader saw."""
    monkeypatch.setattr(readers, "_readers", {})
    events = []
    readers.reader("keeper", kinds={"test"})(lambda event: events.append(event.data["n"]))
    return events


def write(number):
    with transaction.atomic():
        log.write_event(kind="test", member_id=None, data={"n": number})


def pretend_a_restore():
    """Give all positions and places the high numbers of a server that ran for years."""
    with transaction.atomic(), guards.lifted("members_event"):
        for event in Event.objects.all():
            Event.objects.filter(pk=event.pk).update(position=event.position + FAR_AHEAD)
    for reader in EventReader.objects.all():
        EventReader.objects.filter(pk=reader.pk).update(position=reader.position + FAR_AHEAD)


def test_readers_carry_on_with_the_first_event_they_have_not_read(seen):
    write(1)
    readers.read_all()
    write(2)
    pretend_a_restore()
    assert is_ahead()
    call_command("rebase_events")
    write(3)
    readers.read_all()
    assert seen == [1, 2, 3]
    assert not is_ahead()
    assert guards.missing_guards() == []


@pytest.mark.wrong_books
def test_the_audit_tells_that_positions_are_ahead(seen):
    write(1)
    pretend_a_restore()
    assert any(problem.startswith("event positions") for problem in find_problems())

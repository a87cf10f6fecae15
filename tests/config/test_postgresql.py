"""A kept connection is asked whether it lives now and then, and its end is noticed at once."""

import time
from collections.abc import Iterator
from types import SimpleNamespace

import pytest
from django.db import close_old_connections, connection
from django.db.backends.postgresql.base import DatabaseWrapper
from django.db.utils import DatabaseError

from config.postgresql import base
from members.lib.prepared import fetch_prepared
from tests.harness.races import run_together

pytestmark = [
    pytest.mark.postgres,
    pytest.mark.django_db(transaction=True),
]


@pytest.fixture
def questions(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[bool]]:
    """Give what the server answered whenever it was asked; begin with a fresh connection."""
    answers: list[bool] = []
    ask = DatabaseWrapper.is_usable

    def counted(self: DatabaseWrapper) -> bool:
        answers.append(ask(self))
        return answers[-1]

    monkeypatch.setattr(DatabaseWrapper, "is_usable", counted)
    connection.close()
    yield answers
    connection.close()


def serve() -> int:
    """Do what a request does: look after the connection, then ask something; return which session answered."""
    close_old_connections()
    session: int = fetch_prepared("SELECT pg_backend_pid()", [])[0][0]
    return session


def end(session: int) -> None:
    assert run_together([lambda: fetch_prepared("SELECT pg_terminate_backend($1::int, 5000)", [str(session)])]) == [
        [(True,)]
    ]


def test_a_busy_connection_is_asked_every_two_seconds(questions: list[bool], monkeypatch: pytest.MonkeyPatch):
    now = time.monotonic()
    monkeypatch.setattr(base, "time", SimpleNamespace(monotonic=lambda: now))
    sessions = {serve() for _request in range(5)}
    assert questions == []

    now += base.PROVEN_SECONDS
    sessions |= {serve(), serve()}
    assert questions == [True]
    assert len(sessions) == 1


def test_a_session_that_the_server_ended_is_replaced_before_the_next_statement(questions: list[bool]):
    first = serve()
    end(first)

    assert serve() != first
    assert questions == [False]


def test_after_an_error_the_server_is_asked_however_short_the_time(questions: list[bool]):
    session = serve()
    with pytest.raises(DatabaseError):
        fetch_prepared("SELECT 1 / 0 FROM nowhere", [])

    assert serve() == session
    assert questions == [True]

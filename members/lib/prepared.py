"""Prepared statements for the hottest paths of PostgreSQL: planning them anew costs more than running them.

A statement is sent straight to the client library of PostgreSQL: the cursors of Django and psycopg would cost several
times what it takes to send it. Where somebody counts or watches statements it still goes through them.
"""

from collections.abc import Sequence
from typing import Any
from weakref import WeakKeyDictionary

import msgspec
import psycopg
from django.db import DEFAULT_DB_ALIAS, connections
from psycopg.adapt import Transformer
from psycopg.errors import error_from_result
from psycopg.pq import ExecStatus, TransactionStatus

Parameter = str | None
Row = tuple[Any, ...]

# The names of the statements that each connection has prepared.
_names: WeakKeyDictionary[psycopg.Connection[Any], dict[str, bytes]] = WeakKeyDictionary()


def fetch_prepared(statement: str, parameters: Sequence[Parameter]) -> list[Row]:
    """Run a statement, prepared once a connection, and return its rows. PostgreSQL only.

    Its parameters are $1, $2 …, given as text and cast by the statement; ``array_of`` and ``array_of_texts`` write
    arrays. Raises what a cursor of Django would.
    """
    database = connections[DEFAULT_DB_ALIAS]
    # As Django's own cursors do: a kept connection may have died since the last request.
    database.close_if_health_check_failed()
    database.ensure_connection()
    if database.queries_logged or database.execute_wrappers:
        return _fetch_seen(database, statement, parameters)
    database.validate_thread_sharing()
    database.validate_no_broken_transaction()
    with database.wrap_database_errors:
        return _fetch(database.connection, statement, parameters)


def _fetch_seen(database: Any, statement: str, parameters: Sequence[Parameter]) -> list[Row]:
    """Run it where somebody watches statements; not prepared, so that psycopg never drops what we prepared."""
    wrap = database.make_debug_cursor if database.queries_logged else database.make_cursor
    with wrap(psycopg.RawCursor(database.connection)) as cursor:
        cursor.execute(statement, parameters)
        rows: list[Row] = cursor.fetchall()
    return rows


def _fetch(raw: psycopg.Connection[Any], statement: str, parameters: Sequence[Parameter]) -> list[Row]:
    values = [None if value is None else value.encode() for value in parameters]
    if any(value is not None and b"\0" in value for value in values):
        raise psycopg.DataError("PostgreSQL text fields cannot contain NUL (0x00) bytes")
    if not raw.autocommit and raw.pgconn.transaction_status == TransactionStatus.IDLE:
        # psycopg begins a transaction with its first statement; this one may be the first.
        with psycopg.Cursor(raw) as cursor:
            cursor.execute("SELECT 1")
    result = raw.pgconn.exec_prepared(_name_of(raw, statement), values)  # type: ignore[arg-type] # NULL is None
    if result.status != ExecStatus.TUPLES_OK:
        problem = error_from_result(result)
        if isinstance(problem, psycopg.errors.InvalidSqlStatementName):
            # Somebody dropped what we had prepared: prepare anew next time.
            _names.pop(raw, None)
        raise problem
    rows = Transformer(raw)
    rows.set_pgresult(result)
    return rows.load_rows(0, result.ntuples, tuple)


def _name_of(raw: psycopg.Connection[Any], statement: str) -> bytes:
    """Return the name of the statement on this connection; prepare it the first time."""
    known = _names.setdefault(raw, {})
    name = known.get(statement)
    if name is None:
        name = b"hot_%d" % len(known)
        result = raw.pgconn.prepare(name, statement.encode())
        if result.status != ExecStatus.COMMAND_OK:
            raise error_from_result(result)
        known[statement] = name
    return name


def array_of(values: Sequence[Any]) -> str:
    """Return an array of numbers, truth values, instants and None as PostgreSQL reads it: JSON but for its brackets."""
    return "{" + msgspec.json.encode(values)[1:-1].decode() + "}"


def array_of_texts(values: Sequence[str]) -> str:
    """Return an array of texts as PostgreSQL reads it."""
    if not values:
        return "{}"
    inside = '","'.join(values)
    if "\\" in inside or inside.count('"') != 2 * len(values) - 2:
        inside = '","'.join([value.replace("\\", "\\\\").replace('"', '\\"') for value in values])
    return '{"' + inside + '"}'

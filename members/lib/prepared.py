"""Prepared statements for the hottest paths of PostgreSQL: planning them anew costs more than running them."""

from collections.abc import Mapping, Sequence
from typing import Any

import psycopg
from django.db import connection


def fetch_prepared(statement: str, parameters: Sequence[Any] | Mapping[str, Any]) -> list[tuple[Any, ...]]:
    """Run a statement, prepared once a connection, and return its rows. PostgreSQL only."""
    # As Django's own cursors do: a kept connection may have died since the last request.
    connection.close_if_health_check_failed()
    connection.ensure_connection()
    # Django switches preparing off on its connections; its own cursors never prepare, so this changes ours alone.
    connection.connection.prepare_threshold = 0
    wrap = connection.make_debug_cursor if connection.queries_logged else connection.make_cursor
    with wrap(psycopg.Cursor(connection.connection)) as cursor:  # type: ignore[arg-type]
        cursor.execute(statement, parameters)
        rows: list[tuple[Any, ...]] = cursor.fetchall()
    return rows

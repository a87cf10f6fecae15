"""Restore the freshly migrated database after a test with real transactions.

The product's tables refuse deletion, so nothing is deleted: on SQLite the file is replaced, on PostgreSQL all
tables are truncated (row triggers do not fire) and the rows that migrations made are put back.
"""

import os
import sqlite3
from contextlib import closing
from pathlib import Path

from django.db import connection, connections, transaction
from psycopg import sql

_copies: dict[str, bytes] = {}


def remember() -> None:
    """Keep what migrations made."""
    if connection.vendor == "sqlite":
        connection.ensure_connection()
        copy = sqlite3.connect(pristine_file())
        connection.connection.backup(copy)
        copy.close()
        return
    for table in tables():
        rows = copy_out(table)
        if rows:
            _copies[table] = rows


def restore() -> None:
    """Put the database back to what was remembered; every connection of this thread is closed."""
    if connection.vendor == "sqlite":
        replace_file()
    else:
        truncate_all()
    connections.close_all()


def pristine_file() -> Path:
    """Return where the copy of the SQLite file lies."""
    return Path(os.environ["DATA_DIR"], "pristine.sqlite3")


def replace_file() -> None:
    """Write the pristine copy over the SQLite database."""
    connections.close_all()
    database = Path(str(connection.settings_dict["NAME"]))
    # Through SQLite itself: a server thread may still hold the file open.
    with closing(sqlite3.connect(pristine_file())) as source, closing(sqlite3.connect(database)) as target:
        source.backup(target)


def tables() -> list[str]:
    """Return the tables of the product, without the list of applied migrations."""
    return sorted(set(connection.introspection.table_names()) - {"django_migrations"})


def copy_out(table: str) -> bytes:
    """Return the rows of a table in PostgreSQL's copy format."""
    query = sql.SQL("COPY {} TO STDOUT").format(sql.Identifier(table))
    with connection.cursor() as cursor, cursor.copy(query) as copy:
        return b"".join(bytes(part) for part in copy)


def truncate_all() -> None:
    """Empty every table in one statement and put the remembered rows back."""
    names = sql.SQL(", ").join(map(sql.Identifier, tables()))
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql.SQL("TRUNCATE {} RESTART IDENTITY CASCADE").format(names))
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")
        for table, rows in _copies.items():
            with cursor.copy(sql.SQL("COPY {} FROM STDIN").format(sql.Identifier(table))) as copy:
                copy.write(rows)
        for table in _copies:
            move_sequence(table)


def move_sequence(table: str) -> None:
    """Let the ids of a table go on after those that were put back."""
    with connection.cursor() as cursor:
        sequences = connection.introspection.get_sequences(cursor, table)
        for sequence in sequences:
            column = sql.Identifier(sequence["column"])
            query = sql.SQL("SELECT setval(pg_get_serial_sequence({}, {}), max({})) FROM {}")
            names = (sql.Literal(table), sql.Literal(sequence["column"]), column, sql.Identifier(table))
            cursor.execute(query.format(*names))

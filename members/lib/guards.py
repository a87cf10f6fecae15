"""Database guards: append-only tables refuse UPDATE and DELETE, whoever asks.

Installed after every migrate, because SQLite drops triggers when it rebuilds a table. Other apps may add tables.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection

_guarded: list[str] = []

_POSTGRES_FUNCTION = """
CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only', TG_TABLE_NAME;
END $$
"""


def guard(table: str) -> None:
    """Declare a table append-only; the guard appears with the next ``migrate``."""
    if table not in _guarded:
        _guarded.append(table)


def install_guards() -> None:
    """Create the missing triggers; harmless when they are there."""
    existing = set(connection.introspection.table_names())
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(_POSTGRES_FUNCTION)
        for table in _guarded:
            if table in existing:
                for statement in _statements(table):
                    cursor.execute(statement)


@contextmanager
def lifted(table: str) -> Iterator[None]:
    """Take one table's guards away inside the caller's transaction, and put them back; for repairs by the operator."""
    verbs = ("update", "delete")
    with connection.cursor() as cursor:
        for verb in verbs:
            on_table = f" ON {table}" if connection.vendor == "postgresql" else ""
            cursor.execute(f"DROP TRIGGER IF EXISTS {table}_no_{verb}{on_table}")
    yield
    install_guards()


def missing_guards() -> list[str]:
    """Return the names of guarded tables whose triggers are absent or switched off."""
    names = {f"{table}_{verb}" for table in _guarded for verb in ("no_update", "no_delete")}
    query = (
        "SELECT tgname FROM pg_trigger WHERE tgenabled <> 'D'"
        if connection.vendor == "postgresql"
        else "SELECT name FROM sqlite_master WHERE type = 'trigger'"
    )
    with connection.cursor() as cursor:
        cursor.execute(query)
        return sorted(names - {row[0] for row in cursor.fetchall()})


def _statements(table: str) -> list[str]:
    if connection.vendor == "postgresql":
        return [
            f"CREATE OR REPLACE TRIGGER {table}_no_{verb} BEFORE {verb.upper()} ON {table} "
            "FOR EACH ROW EXECUTE FUNCTION refuse_change()"
            for verb in ("update", "delete")
        ]
    return [
        f"CREATE TRIGGER IF NOT EXISTS {table}_no_{verb} BEFORE {verb.upper()} ON {table} "
        f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
        for verb in ("update", "delete")
    ]

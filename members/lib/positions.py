"""Commit order of the event log.

Ids are drawn before commit, so a reader that remembers an id misses rows that commit later. On PostgreSQL each row
keeps the id of its transaction, and readers stay below the oldest transaction that is still running; on SQLite there
is one writer at a time, so ids are commit order already.
"""

from typing import Any

from django.db import connection, models
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models.sql.compiler import SQLCompiler


class CommitPosition(models.Func):
    """Database default: the writing transaction's id on PostgreSQL, 0 elsewhere."""

    template = "0"
    arity = 0
    output_field = models.BigIntegerField()
    allowed_default = True

    def as_postgresql(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **extra: Any) -> Any:
        """Return the transaction id as a number."""
        return self.as_sql(compiler, connection, template="((pg_current_xact_id()::text)::bigint)", **extra)


def settled_position() -> int:
    """Return the position below which every event is committed and none can appear any more."""
    if connection.vendor != "postgresql":
        return 1
    with connection.cursor() as cursor:
        cursor.execute("SELECT (pg_snapshot_xmin(pg_current_snapshot())::text)::bigint")
        return int(cursor.fetchone()[0])

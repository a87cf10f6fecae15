"""The clock of money decisions: the database's, read after the lock."""

from datetime import UTC, datetime

from django.db import connection


def database_now() -> datetime:
    """Return the instant at which this statement runs (PostgreSQL ``clock_timestamp()``; UTC of the host on SQLite)."""
    if connection.vendor != "postgresql":
        return datetime.now(UTC)
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        now: datetime = cursor.fetchone()[0]
    return now

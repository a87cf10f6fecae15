"""Knocking on the workers' door. The knock may get lost: rows and the sweep are the truth."""

import time
from collections.abc import Callable

from django.db import transaction

# A worker that was just woken finds what others wrote meanwhile; the scheduler's own knock finds the rest.
_PAUSE_SECONDS = 0.25

_wake: Callable[[], None] | None = None
_woken_at = 0.0


def install(wake: Callable[[], None]) -> None:
    """Set the function that wakes a worker; the composition root does this."""
    global _wake, _woken_at
    _wake, _woken_at = wake, 0.0


def wake_after_commit() -> None:
    """Wake a worker when the transaction commits, at most four times a second.

    A failing broker is logged and changes nothing.
    """
    if _wake is not None:
        transaction.on_commit(_wake_unless_just_woken, robust=True)


def _wake_unless_just_woken() -> None:
    global _woken_at  # noqa: PLW0603
    now = time.monotonic()
    if _wake is not None and now - _woken_at >= _PAUSE_SECONDS:
        _woken_at = now
        _wake()

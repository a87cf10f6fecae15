"""Knocking on the workers' door. The knock may get lost: rows and the sweep are the truth."""

import logging
from collections.abc import Callable

from django.db import transaction

logger = logging.getLogger(__name__)

_wake: Callable[[], None] | None = None


def install(wake: Callable[[], None]) -> None:
    """Set the function that wakes a worker; the composition root does this."""
    global _wake  # noqa: PLW0603 - one hook, set at start-up
    _wake = wake


def wake_after_commit() -> None:
    """Wake a worker when the transaction commits; a failing broker is logged and changes nothing."""
    if _wake is not None:
        transaction.on_commit(_wake, robust=True)

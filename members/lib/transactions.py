"""Whole-transaction retries: what the database refuses for timing alone is tried again."""

import functools
import random
import time
from collections.abc import Callable
from typing import ParamSpec, TypeVar

from django.db import OperationalError, connection, transaction

P = ParamSpec("P")
R = TypeVar("R")

# Serialization failure, deadlock, lock time-out.
RETRIED_STATES = {"40001", "40P01", "55P03"}
_TRIES = 3


class Busy(Exception):
    """The database could not serve the change in time; nothing was written and it may be repeated."""


def retried(function: Callable[P, R]) -> Callable[P, R]:
    """Run the function in one transaction, three tries on deadlock, serialization failure or lock time-out.

    Called inside a transaction it is a plain call: the outermost function owns the retry. Raises Busy when all
    tries failed.
    """

    @functools.wraps(function)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        if connection.in_atomic_block:
            return function(*args, **kwargs)
        for attempt in range(1, _TRIES + 1):
            try:
                with transaction.atomic():
                    return function(*args, **kwargs)
            except OperationalError as problem:
                if not may_retry(problem):
                    raise
                if attempt == _TRIES:
                    raise Busy from problem
            time.sleep(random.uniform(0.01, 0.05) * attempt)  # noqa: S311 - jitter, not a secret
        raise AssertionError("unreachable")

    return run


def may_retry(problem: OperationalError) -> bool:
    """Tell whether the database refused for timing alone."""
    return getattr(problem.__cause__, "sqlstate", None) in RETRIED_STATES

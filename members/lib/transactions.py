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
        return _try(functools.partial(function, *args, **kwargs), durable=False)

    return run


def committed(function: Callable[P, R]) -> Callable[P, R]:
    """As ``retried``, for what must stand when it returns: inside a transaction it raises RuntimeError."""

    @functools.wraps(function)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        return _try(functools.partial(function, *args, **kwargs), durable=True)

    return run


def _try(function: Callable[[], R], *, durable: bool) -> R:
    for attempt in range(1, _TRIES + 1):
        try:
            with transaction.atomic(durable=durable):
                return function()
        except OperationalError as problem:
            if not may_retry(problem):
                raise
            if attempt == _TRIES:
                raise Busy from problem
        time.sleep(random.uniform(0.01, 0.05) * attempt)  # noqa: S311 - jitter, not a secret
    raise AssertionError("unreachable")


def may_retry(problem: OperationalError) -> bool:
    """Tell whether the database refused for timing alone."""
    return getattr(problem.__cause__, "sqlstate", None) in RETRIED_STATES

"""Posting beside reading: while the database writes one batch, the next is read and decided."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

from django.db import connection

T = TypeVar("T")
R = TypeVar("R")

# One that is being posted and one that waits; more would only hold memory.
_MOST_AHEAD = 2


def in_background(post: Callable[[T], R], batches: Iterable[T]) -> Iterator[tuple[T, R]]:
    """Yield every batch with the result of posting it, in order; an error comes out where its batch would.

    One thread posts, on a connection of its own, one batch after the other. SQLite, which has one writer, and callers
    inside a transaction, whose rows another connection cannot see, post directly.
    """
    if connection.vendor != "postgresql" or connection.in_atomic_block:
        for batch in batches:
            yield batch, post(batch)
        return
    worker = ThreadPoolExecutor(max_workers=1, thread_name_prefix="posting")
    waiting: deque[tuple[T, Future[R]]] = deque()
    try:
        for batch in batches:
            waiting.append((batch, worker.submit(post, batch)))
            if len(waiting) == _MOST_AHEAD:
                yield _first(waiting)
        while waiting:
            yield _first(waiting)
    finally:
        # After an error nothing is posted any more but the batch that is under way.
        for _batch, future in waiting:
            future.cancel()
        worker.submit(connection.close)
        worker.shutdown()


def _first(waiting: deque[tuple[T, Future[R]]]) -> tuple[T, R]:
    batch, future = waiting.popleft()
    return batch, future.result()

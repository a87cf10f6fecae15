"""Posting beside reading: while the database writes one batch, the next is read and decided."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import chain
from typing import TypeVar

from django.db import connection

T = TypeVar("T")
R = TypeVar("R")

# One that is being posted and one that waits; more would only hold memory.
_MOST_AHEAD = 2


def in_background(post: Callable[[T], R], batches: Iterable[Sequence[T]], *, lanes: int) -> Iterator[tuple[T, R]]:
    """Yield every part of every batch with the result of posting it, in order; an error comes out in its place.

    A batch has one part for each lane. A lane is a thread with a connection of its own, which posts the parts of its
    place one after the other. SQLite, which has one writer, and callers inside a transaction, whose rows another
    connection cannot see, post directly.
    """
    if connection.vendor != "postgresql" or connection.in_atomic_block:
        for batch in batches:
            yield from [(part, post(part)) for part in batch]
        return
    workers = [ThreadPoolExecutor(max_workers=1, thread_name_prefix="posting") for _lane in range(lanes)]
    waiting: deque[list[tuple[T, Future[R]]]] = deque()
    try:
        for batch in batches:
            waiting.append([(part, worker.submit(post, part)) for worker, part in zip(workers, batch, strict=True)])
            if len(waiting) == _MOST_AHEAD:
                yield from _first(waiting)
        while waiting:
            yield from _first(waiting)
    finally:
        # After an error nothing is posted any more but the parts that are under way.
        for _part, future in chain.from_iterable(waiting):
            future.cancel()
        _stop(workers)


def _first(waiting: deque[list[tuple[T, Future[R]]]]) -> Iterator[tuple[T, R]]:
    for part, future in waiting.popleft():
        yield part, future.result()


def _stop(workers: Sequence[ThreadPoolExecutor]) -> None:
    """Close every lane's connection behind what is under way there, and wait for them."""
    for worker in workers:
        worker.submit(_close_own_connection)
    for worker in workers:
        worker.shutdown()


def _close_own_connection() -> None:
    # Looked up where it runs: each thread has a connection of its own behind the same name.
    connection.close()

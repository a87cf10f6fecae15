"""Many threads at one door at once, each with a connection of its own."""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from django.db import connection

R = TypeVar("R")


def run_together(calls: list[Callable[[], R]]) -> list[R | Exception]:
    """Run all calls at the same moment; return what each returned or raised, in their order."""
    barrier = threading.Barrier(len(calls))

    def one(call: Callable[[], R]) -> R | Exception:
        try:
            connection.ensure_connection()
            barrier.wait(timeout=30)
            return call()
        except Exception as problem:  # noqa: BLE001 - the test looks at what each thread met
            return problem
        finally:
            connection.close()

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(one, calls))


def only(kind: type[R], results: Sequence[object]) -> list[R]:
    """Return the results of one kind."""
    return [result for result in results if isinstance(result, kind)]

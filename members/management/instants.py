"""Instants on the command line."""

from argparse import ArgumentTypeError
from datetime import datetime, time

from members.lib import periods
from members.programme.models import Programme

# A bare day means its small hours, after the jobs of the night are due.
_HOUR = time(3, 0)


def instant_of(text: str) -> datetime:
    """Return the instant of an ISO day (3 o'clock of the programme's night) or an ISO date and time.

    Without an offset the programme's zone is meant. Raises ArgumentTypeError.
    """
    try:
        told = datetime.fromisoformat(text)
    except ValueError as problem:
        raise ArgumentTypeError(f"{text!r} is no ISO day or date and time") from problem
    if told.tzinfo is not None:
        return told
    at = _HOUR if len(text) == len("2026-01-31") else told.time()
    return periods.local_instant(told.date(), at.hour, at.minute, Programme.current().tz)

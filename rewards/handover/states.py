"""States of a parcel and the moves between them; never backwards. Pure."""

from enum import StrEnum


class ParcelState(StrEnum):
    """Where a parcel stands."""

    PENDING = "PENDING"
    PROCESSING = "PROCESSING"
    SENT = "SENT"
    DELIVERED = "DELIVERED"
    CANCELLED = "CANCELLED"


MOVES: dict[ParcelState, frozenset[ParcelState]] = {
    ParcelState.PENDING: frozenset({ParcelState.PROCESSING, ParcelState.SENT, ParcelState.CANCELLED}),
    ParcelState.PROCESSING: frozenset({ParcelState.SENT, ParcelState.CANCELLED}),
    ParcelState.SENT: frozenset({ParcelState.DELIVERED}),
    ParcelState.DELIVERED: frozenset(),
    ParcelState.CANCELLED: frozenset(),
}


def from_where(wanted: ParcelState) -> list[ParcelState]:
    """Return the states from which a parcel may go to the wanted one."""
    return [state for state, following in MOVES.items() if wanted in following]

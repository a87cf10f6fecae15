"""States of a redemption and the moves between them. Pure."""

from enum import StrEnum


class State(StrEnum):
    """Where a redemption stands."""

    CAPTURED = "CAPTURED"
    FULFILLED = "FULFILLED"
    CANCELLED = "CANCELLED"
    EXPIRED = "EXPIRED"


MOVES: dict[State, frozenset[State]] = {
    State.CAPTURED: frozenset({State.FULFILLED, State.CANCELLED, State.EXPIRED}),
    # Staff may undo a slip: marked used, but it was the wrong code.
    State.FULFILLED: frozenset({State.CAPTURED}),
    State.CANCELLED: frozenset(),
    State.EXPIRED: frozenset(),
}


def may_move(current: State, wanted: State) -> bool:
    """Tell whether a redemption may go from one state to the other."""
    return wanted in MOVES[current]

"""States of a redemption and the moves between them. Pure."""

from enum import StrEnum

# The reason that is kept when nobody paid; ``Redemption.reason_in_words`` says it.
NOT_PAID_IN_TIME = "not_paid_in_time"


class State(StrEnum):
    """Where a redemption stands."""

    HELD = "HELD"
    CAPTURED = "CAPTURED"
    FULFILLED = "FULFILLED"
    CANCELLED = "CANCELLED"
    EXPIRED = "EXPIRED"
    RELEASED = "RELEASED"
    REFUNDED = "REFUNDED"


MOVES: dict[State, frozenset[State]] = {
    State.HELD: frozenset({State.CAPTURED, State.RELEASED}),
    State.CAPTURED: frozenset({State.FULFILLED, State.CANCELLED, State.EXPIRED}),
    # Staff may undo a slip: marked used, but it was the wrong code. Goods that come back after use are refunded.
    State.FULFILLED: frozenset({State.CAPTURED, State.REFUNDED}),
    State.CANCELLED: frozenset(),
    State.EXPIRED: frozenset(),
    State.RELEASED: frozenset(),
    State.REFUNDED: frozenset(),
}


def may_move(current: State, wanted: State) -> bool:
    """Tell whether a redemption may go from one state to the other."""
    return wanted in MOVES[current]

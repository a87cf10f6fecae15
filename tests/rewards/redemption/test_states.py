"""The moves of a redemption."""

import pytest

from rewards.redemption.states import MOVES, State, may_move

ALLOWED = {
    ("CAPTURED", "FULFILLED"),
    ("CAPTURED", "CANCELLED"),
    ("CAPTURED", "EXPIRED"),
    ("FULFILLED", "CAPTURED"),
    ("FULFILLED", "REFUNDED"),
    ("HELD", "CAPTURED"),
    ("HELD", "RELEASED"),
}


@pytest.mark.parametrize("current", list(State))
@pytest.mark.parametrize("wanted", list(State))
def test_only_the_allowed_moves_are_possible(current, wanted):
    assert may_move(current, wanted) == ((current, wanted) in ALLOWED)


def test_every_state_has_its_row():
    assert set(MOVES) == set(State)

"""Spreading pieces over parts: nothing is lost, and the parts end level."""

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rewards.stock.spreading import spread

LEVELS = st.lists(st.integers(0, 50), min_size=1, max_size=8)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(LEVELS, st.integers(0, 500))
def test_what_comes_in_only_adds_and_ends_level(levels, quantity):
    changes = spread(levels, quantity)
    after = [level + change for level, change in zip(levels, changes, strict=True)]
    assert sum(changes) == quantity
    assert min(changes) >= 0
    assert all(level <= min(after) + 1 for level, change in zip(after, changes, strict=True) if change)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(LEVELS, st.data())
def test_what_goes_out_only_takes_and_never_too_much(levels, data):
    quantity = data.draw(st.integers(0, sum(levels)))
    changes = spread(levels, -quantity)
    assert sum(changes) == -quantity
    assert max(changes) <= 0
    assert min(level + change for level, change in zip(levels, changes, strict=True)) >= 0


def test_a_hundred_pieces_over_sixteen_parts():
    assert sorted(spread([0] * 16, 100)) == [6] * 12 + [7] * 4

"""The geometry of bars."""

import itertools

from hypothesis import given
from hypothesis import strategies as st

from feedback.scores.chart import HEADROOM, HEIGHT, bar_chart


def test_without_answers_all_bars_lie_flat():
    assert [bar.height for bar in bar_chart(range(11), {}).bars] == [0] * 11


@given(st.dictionaries(st.integers(0, 10), st.integers(0, 10_000)))
def test_bars_stand_on_the_base_line_and_the_highest_is_full(counts):
    chart = bar_chart(range(11), counts)
    assert all(bar.y + bar.height == HEADROOM + HEIGHT for bar in chart.bars)
    if any(counts.values()):
        assert max(bar.height for bar in chart.bars) == HEIGHT
        assert round(sum(bar.percent for bar in chart.bars)) == 100


def test_bars_do_not_overlap_and_stay_in_the_drawing():
    chart = bar_chart(range(1, 6), {1: 3})
    lefts = [bar.x for bar in chart.bars]
    assert all(right - left >= chart.bar_width for left, right in itertools.pairwise(lefts))
    assert lefts[-1] + chart.bar_width <= chart.width

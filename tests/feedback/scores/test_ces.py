"""CES: mean and share, kept apart."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feedback.scores.ces import ces_mean, ces_share

some_counts = st.dictionaries(st.integers(1, 7), st.integers(0, 3000))


def test_the_share_counts_five_to_seven():
    score = ces_share(dict.fromkeys(range(1, 8), 10))
    assert score is not None
    assert score.value == pytest.approx(300 / 7)


def test_the_mean_has_the_error_of_the_mean():
    score = ces_mean({5: 2, 6: 4, 7: 2})
    assert score is not None
    assert score.value == 6
    assert score.standard_error == pytest.approx((4 / 7 / 8) ** 0.5)


def test_one_answer_leaves_the_mean_open_over_the_whole_scale():
    score = ces_mean({6: 1})
    assert score is not None
    assert (score.low, score.value, score.high) == (1, 6, 7)


@pytest.mark.parametrize("figure", [ces_mean, ces_share])
def test_a_value_outside_the_scale_is_refused(figure):
    with pytest.raises(ValueError, match="1 to 7"):
        figure({8: 1})


@pytest.mark.parametrize("figure", [ces_mean, ces_share])
def test_no_answers_give_no_figure(figure):
    assert figure({}) is None


@given(some_counts)
def test_the_interval_of_the_mean_holds_it_and_stays_on_the_scale(counts):
    score = ces_mean(counts)
    if score is not None:
        assert 1 <= score.low <= score.value <= score.high <= 7

"""CSAT against published figures, and what must hold for any answers."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feedback.scores.csat import csat
from feedback.scores.score import share

some_counts = st.dictionaries(st.integers(1, 5), st.integers(0, 3000))


def test_the_airport_survey_gives_its_published_share():
    # San Francisco International Airport, passenger survey 2017: 2,206 of 2,688 satisfied.
    score = csat({1: 20, 2: 100, 3: 362, 4: 1206, 5: 1000})
    assert score is not None
    assert (score.base, round(score.value, 2)) == (2688, 82.07)


def test_the_interval_is_the_one_of_wilson():
    # Newcombe 1998, table I: 81 of 263 gives 0.2553 to 0.3662.
    score = share(81, 263)
    assert score is not None
    assert (round(score.low / 100, 4), round(score.high / 100, 4)) == (0.2553, 0.3662)


def test_only_four_and_five_are_satisfied():
    score = csat({1: 1, 2: 1, 3: 1, 4: 1, 5: 1})
    assert score is not None
    assert score.value == 40


def test_a_value_outside_the_scale_is_refused():
    with pytest.raises(ValueError, match="1 to 5"):
        csat({0: 1})


def test_more_counted_than_the_base_is_refused():
    with pytest.raises(ValueError, match="part of the base"):
        share(3, 2)


def test_no_answers_give_no_score():
    assert csat({}) is None


@given(some_counts)
def test_the_interval_holds_the_value_and_stays_within_a_hundred(counts):
    score = csat(counts)
    if score is not None:
        assert 0 <= score.low <= score.value <= score.high <= 100

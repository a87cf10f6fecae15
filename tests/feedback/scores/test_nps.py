"""NPS against published figures, and what must hold for any answers."""

from math import sqrt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feedback.scores.nps import Groups, groups, nps
from feedback.scores.score import Z

# San Francisco International Airport, passenger survey 2017: 2,746 answers to the question of recommendation.
AIRPORT_2017 = Groups(promoters=1436, passives=2746 - 1436 - 342, detractors=342)

some_groups = st.builds(Groups, st.integers(0, 5000), st.integers(0, 5000), st.integers(0, 5000))


def test_the_airport_survey_gives_its_published_score():
    score = nps(AIRPORT_2017)
    assert score is not None
    assert score.base == 2746
    assert round(score.value, 2) == 39.84


def test_the_standard_error_gives_the_published_simple_interval():
    score = nps(AIRPORT_2017)
    assert score is not None
    assert round(score.value - Z * score.standard_error, 2) == 37.22
    assert round(score.value + Z * score.standard_error, 2) == 42.45


def test_the_interval_is_the_simple_one_over_three_added_answers():
    score = nps(AIRPORT_2017)
    assert score is not None
    p, d, n = (1436 + 0.75) / 2749, (342 + 0.75) / 2749, 2749
    reach = Z * 100 * sqrt((p + d - (p - d) ** 2) / n)
    assert score.low == pytest.approx(100 * (p - d) - reach)
    assert score.high == pytest.approx(100 * (p - d) + reach)


def test_the_groups_are_cut_at_six_and_eight():
    assert groups(dict.fromkeys(range(11), 1)) == Groups(promoters=2, passives=2, detractors=7)


def test_a_value_outside_the_scale_is_refused():
    with pytest.raises(ValueError, match="0 to 10"):
        groups({11: 1})


def test_no_answers_give_no_score():
    assert nps(groups({})) is None


def test_a_small_unanimous_base_keeps_an_interval_clipped_at_the_end_of_the_scale():
    score = nps(Groups(promoters=5, passives=0, detractors=0))
    assert score is not None
    assert score.value == score.high == 100
    assert score.low < 90
    assert not score.is_reportable


@given(some_groups)
def test_value_and_interval_stay_on_the_scale(of):
    score = nps(of)
    if score is not None:
        assert -100 <= score.low <= score.high <= 100
        assert -100 <= score.value <= 100


@given(some_groups)
def test_swapping_promoters_and_detractors_mirrors_the_score(of):
    score, mirrored = nps(of), nps(Groups(of.detractors, of.passives, of.promoters))
    if score is not None and mirrored is not None:
        assert mirrored.value == pytest.approx(-score.value)
        assert mirrored.low == pytest.approx(-score.high)


@given(some_groups)
def test_more_of_the_same_answers_narrow_the_interval(of):
    few, many = nps(of), nps(Groups(of.promoters * 4, of.passives * 4, of.detractors * 4))
    if few is not None and many is not None:
        assert many.value == pytest.approx(few.value)
        assert many.high - many.low < few.high - few.low

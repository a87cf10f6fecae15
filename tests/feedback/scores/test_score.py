"""What may be shown, and what may be called a change."""

import pytest

from feedback.scores.nps import Groups, nps
from feedback.scores.score import Score, has_changed, share


@pytest.mark.parametrize(("base", "reportable"), [(29, False), (30, True)])
def test_thirty_answers_make_a_score_reportable(base, reportable):
    score = share(base, base)
    assert score is not None
    assert score.is_reportable is reportable


def test_a_difference_within_chance_is_no_change():
    assert has_changed(_nps(50, 30, 20), _nps(54, 28, 18)) is False


def test_a_difference_beyond_chance_is_a_change():
    assert has_changed(_nps(500, 300, 200), _nps(400, 300, 300)) is True


def test_too_small_a_base_says_nothing_about_a_change():
    assert has_changed(_nps(10, 10, 9), _nps(400, 300, 300)) is None


def test_two_unanimous_scores_differ_when_their_values_do():
    assert has_changed(_nps(50, 0, 0), _nps(0, 0, 50)) is True
    assert has_changed(_nps(50, 0, 0), _nps(60, 0, 0)) is False


def _nps(promoters: int, passives: int, detractors: int) -> Score:
    score = nps(Groups(promoters, passives, detractors))
    assert score is not None
    return score

"""What the page of scores says."""

from datetime import UTC, datetime, timedelta

import pytest

from campaigns.messaging.models import Delivery
from feedback.answers.answering import Given, record_answer
from feedback.answers.models import Answer
from feedback.answers.reporting import survey_report
from feedback.invitations.asking import ask
from feedback.surveys.publishing import start_next_wave
from tests.feedback.factories import NOON, answer, invite, make_member, make_survey

pytestmark = pytest.mark.django_db


def test_the_figures_come_from_the_answers_that_stand():
    survey = make_survey()
    for score in (10, 9, 8, 3):
        answer(survey, score)
    first = Answer.objects.get(score=3)
    record_answer(token=first.invitation.token, given=Given(score=10), at=first.standing_since + timedelta(hours=1))
    figure = survey_report(survey=survey, wave=1).figures[0]
    assert figure.score is not None
    assert (figure.score.value, figure.score.base) == (75, 4)


def test_the_distribution_has_a_bar_for_every_value():
    survey = make_survey(kind="CSAT")
    answer(survey, 5)
    answer(survey, 5)
    answer(survey, 1)
    bars = survey_report(survey=survey, wave=1).chart.bars
    assert [(bar.value, bar.count) for bar in bars] == [(1, 1), (2, 0), (3, 0), (4, 0), (5, 2)]


def test_an_effort_survey_reports_share_and_mean_apart():
    survey = make_survey(kind="CES")
    for score in (7, 5, 3):
        answer(survey, score)
    share, mean = survey_report(survey=survey, wave=1).figures
    assert share.score is not None
    assert mean.score is not None
    assert (round(share.score.value, 1), mean.score.value) == (66.7, 5)


def test_waves_are_reported_apart():
    survey = make_survey()
    answer(survey, 10)
    start_next_wave(survey_id=survey.pk)
    survey.refresh_from_db()
    answer(survey, 0)
    scores = [survey_report(survey=survey, wave=wave).figures[0].score for wave in (1, 2)]
    assert [score and score.value for score in scores] == [100, -100]


def test_the_response_counts_answers_among_delivered_messages():
    survey = make_survey()
    for _ in range(3):
        answer(survey, 9)
    invite(survey)
    delivered = Delivery.objects.order_by("pk").values_list("pk", flat=True)[1:]
    Delivery.objects.filter(pk__in=list(delivered)).update(state="SENT")
    response = survey_report(survey=survey, wave=1).response
    assert (response.delivered, response.answered) == (3, 2)
    assert response.rate is not None
    assert round(response.rate.value, 1) == 66.7


def test_without_deliveries_there_is_no_rate():
    assert survey_report(survey=make_survey(), wave=1).response.rate is None


def test_the_trend_follows_the_months_of_the_programme():
    survey = make_survey(delay_hours=0)
    # 23:55 UTC on 31 March is 1 April in London.
    answer(survey, 10, at=datetime(2026, 3, 31, 23, 50, tzinfo=UTC))
    answer(survey, 0, at=NOON)
    trend = survey_report(survey=survey, wave=1).trend
    assert [(month.start.month, month.score.value) for month in trend] == [(3, -100), (4, 100)]
    assert [month.has_changed for month in trend] == [None, None]


def test_the_trend_says_whether_a_month_differs_from_the_one_before():
    survey = make_survey(delay_hours=0)
    for _ in range(30):
        answer(survey, 10, at=NOON)
        answer(survey, 2, at=NOON + timedelta(days=31))
    assert [month.has_changed for month in survey_report(survey=survey, wave=1).trend] == [None, True]


def test_suppressed_asks_are_counted_by_reason():
    survey, member = make_survey(), make_member()
    invite(survey, member)
    for days in (1, 2, 30):
        ask(survey=survey, member_id=member.pk, occasion=f"day {days}", at=NOON + timedelta(days=days))
    assert survey_report(survey=survey, wave=1).suppressed == [
        ("asked lately by some survey", 2),
        ("asked lately by a survey of this kind", 1),
    ]

"""The life of a survey."""

import pytest
from django.db import IntegrityError, transaction

from feedback.surveys.models import Question, QuestionsAreFixed, Survey
from feedback.surveys.publishing import (
    MainQuestionMissing,
    create_default_surveys,
    new_version,
    publish,
    start_next_wave,
    stop,
)
from tests.feedback.factories import answer, make_survey

pytestmark = pytest.mark.django_db


def test_a_survey_without_its_main_question_cannot_ask():
    survey = Survey.objects.create(code="empty", kind="NPS", title_en="Empty")
    Question.objects.create(survey=survey, order=1, kind="CSAT", text_en="Of another kind")
    with pytest.raises(MainQuestionMissing):
        publish(survey_id=survey.pk)
    survey.refresh_from_db()
    assert not survey.is_active


def test_publishing_a_version_stops_the_one_before():
    first = make_survey(code="nps")
    second = new_version(survey_id=first.pk)
    assert not second.is_active
    publish(survey_id=second.pk)
    assert list(Survey.objects.asking_after("reward.redeemed")) == [second]


def test_two_versions_of_a_code_cannot_ask_at_once():
    first = make_survey(code="nps")
    second = new_version(survey_id=first.pk)
    with pytest.raises(IntegrityError), transaction.atomic():
        Survey.objects.filter(pk=second.pk).update(is_active=True)


def test_a_stopped_survey_asks_nobody():
    survey = make_survey()
    stop(survey_id=survey.pk)
    assert not Survey.objects.asking_after("reward.redeemed").exists()


def test_a_wave_follows_the_other():
    survey = make_survey()
    start_next_wave(survey_id=survey.pk)
    survey.refresh_from_db()
    assert survey.wave == 2


def test_questions_can_be_changed_before_the_first_answer():
    question = make_survey().questions.get(order=1)
    question.text_en = "How likely are you?"
    question.save()
    question.refresh_from_db()
    assert question.text_en == "How likely are you?"


@pytest.mark.parametrize("change", ["save", "delete"])
def test_questions_are_fixed_by_the_first_answer(change):
    survey = make_survey()
    answer(survey, 9)
    with pytest.raises(QuestionsAreFixed):
        getattr(survey.questions.get(order=1), change)()


def test_an_answered_survey_takes_no_further_question():
    survey = make_survey()
    answer(survey, 9)
    with pytest.raises(QuestionsAreFixed):
        Question.objects.create(survey=survey, order=3, kind="TEXT", text_en="And?")


def test_a_new_version_has_the_same_questions_and_can_be_changed():
    survey = make_survey(code="nps")
    answer(survey, 9)
    copy = new_version(survey_id=survey.pk)
    assert (copy.code, copy.version, copy.wave) == ("nps", 2, 1)
    assert list(copy.questions.values_list("kind", "text_en")) == [("NPS", "How likely?"), ("TEXT", "Why?")]
    copy.questions.get(order=1).delete()
    assert survey.questions.count() == 2


def test_a_survey_has_one_main_question():
    survey = make_survey()
    with pytest.raises(IntegrityError), transaction.atomic():
        Question.objects.create(survey=survey, order=3, kind="CSAT", text_en="Another scale")


def test_a_choice_needs_choices():
    survey = make_survey()
    with pytest.raises(IntegrityError), transaction.atomic():
        Question.objects.create(survey=survey, order=3, kind="CHOICE", text_en="Which?")


def test_the_default_survey_is_made_once_and_asks():
    create_default_surveys()
    create_default_surveys()
    survey = Survey.objects.asking_after("reward.redeemed").get()
    assert (survey.kind, survey.questions.count()) == ("NPS", 2)


def test_the_default_survey_stays_stopped_when_staff_stopped_it():
    create_default_surveys()
    stop(survey_id=Survey.objects.get().pk)
    create_default_surveys()
    assert not Survey.objects.filter(is_active=True).exists()

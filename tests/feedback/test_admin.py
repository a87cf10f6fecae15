"""Feedback in the admin."""

import pytest
from django.urls import reverse

from feedback.answers.answering import Given, record_answer
from feedback.surveys.models import Question, Survey
from tests.feedback.factories import answer, invite, make_survey

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _one_factor(settings):
    settings.STAFF_MFA_REQUIRED = False


def scores_of(client, survey, **query):
    return client.get(reverse("admin:feedback_survey_scores", args=[survey.pk]), query).content.decode()


def test_few_answers_show_their_base_and_no_score(admin_client):
    survey = make_survey()
    for _ in range(29):
        answer(survey, 10)
    page = scores_of(admin_client, survey)
    assert "Too few answers" in page
    assert "100.0" not in page.split("Distribution")[0]


def test_enough_answers_show_score_interval_and_base(admin_client):
    survey = make_survey()
    for _ in range(30):
        answer(survey, 10)
    page = " ".join(scores_of(admin_client, survey).split())
    assert "<strong>100.0</strong>" in page
    assert "… 100.0" in page
    assert "<td>30</td>" in page


def test_the_distribution_is_a_labelled_drawing_with_a_table_beside_it(admin_client):
    survey = make_survey()
    answer(survey, 7)
    page = scores_of(admin_client, survey)
    assert '<svg role="img"' in page
    assert "How many chose each value</title>" in page
    assert page.count("<rect ") == 11
    assert "Answers by value" in page
    assert "style=" not in page.split('<svg role="img"')[1].split("</svg>")[0]


def test_an_earlier_wave_can_be_chosen_and_nonsense_shows_the_present_one(admin_client):
    survey = make_survey(wave=2)
    assert "Wave 1." in scores_of(admin_client, survey, wave="1")
    assert "Wave 2." in scores_of(admin_client, survey, wave="99")


def test_scores_need_the_right_to_see_surveys(client, django_user_model):
    survey = make_survey()
    client.force_login(django_user_model.objects.create_user(email="staff@example.com", is_staff=True))
    assert client.get(reverse("admin:feedback_survey_scores", args=[survey.pk])).status_code == 403


def test_the_questions_of_an_answered_survey_are_shown_but_not_offered_for_change(admin_client):
    survey = make_survey()
    answer(survey, 9)
    page = admin_client.get(reverse("admin:feedback_survey_change", args=[survey.pk])).content.decode()
    assert "its questions are fixed" in page
    assert 'name="questions-0-text_en"' not in page


def test_a_survey_is_made_with_its_questions(admin_client):
    form = {
        "code": "visit",
        "kind": "CSAT",
        "title_en": "Your visit",
        "trigger": "reward.redeemed",
        "delay_hours": 2,
        "link_days": 28,
        "quiet_days_any": 7,
        "quiet_days_kind": 90,
        "questions-TOTAL_FORMS": 1,
        "questions-INITIAL_FORMS": 0,
        "questions-0-order": 1,
        "questions-0-kind": "CSAT",
        "questions-0-text_en": "How satisfied are you?",
        "questions-0-is_required": "on",
    }
    admin_client.post(reverse("admin:feedback_survey_add"), form)
    assert Survey.objects.get(code="visit").questions.get().text_en == "How satisfied are you?"


def test_publishing_a_survey_without_main_question_is_refused_in_words(admin_client):
    survey = Survey.objects.create(code="empty", kind="NPS", title_en="Empty")
    page = act(admin_client, "publish", survey)
    assert "has no main question" in page
    assert not Survey.objects.filter(is_active=True).exists()


def test_the_actions_publish_stop_and_copy(admin_client):
    survey = make_survey(published=False)
    act(admin_client, "publish", survey)
    assert Survey.objects.get().is_active
    act(admin_client, "start_next_wave", survey)
    act(admin_client, "stop", survey)
    act(admin_client, "make_new_version", survey)
    assert list(Survey.objects.order_by("version").values_list("version", "is_active", "wave")) == [
        (1, False, 2),
        (2, False, 1),
    ]


def act(client, action, survey):
    data = {"action": action, "_selected_action": [survey.pk]}
    return client.post(reverse("admin:feedback_survey_changelist"), data, follow=True).content.decode()


@pytest.mark.parametrize("model", ["invitation", "answer", "suppressedask"])
def test_what_happened_can_be_read_but_not_written(admin_client, model):
    answer(make_survey(), 9)
    assert admin_client.get(reverse(f"admin:feedback_{model}_changelist")).status_code == 200
    assert admin_client.get(reverse(f"admin:feedback_{model}_add")).status_code == 403


def test_an_answer_is_shown_in_words_and_never_with_its_secret(admin_client):
    survey = make_survey()
    why = survey.questions.get(kind="TEXT")
    which = Question.objects.create(survey=survey, order=3, kind="CHOICE", text_en="Which?", choices_en="Tea\nCoffee")
    invitation = invite(survey)
    given = Given(score=9, replies={why.pk: "Kind <b>staff</b>", which.pk: 1})
    said = record_answer(token=invitation.token, given=given, at=invitation.due_at)
    page = admin_client.get(reverse("admin:feedback_answer_change", args=[said.pk])).content.decode()
    assert "Kind &lt;b&gt;staff&lt;/b&gt;" in page
    assert "Coffee" in page
    shown = admin_client.get(reverse("admin:feedback_invitation_change", args=[invitation.pk])).content.decode()
    assert invitation.token not in page + shown

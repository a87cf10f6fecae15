"""Words of a survey in three languages."""

from django.utils import translation

from feedback.surveys.models import Question, Survey


def test_the_title_is_in_the_active_language():
    survey = Survey(title_en="Visit", title_zh_hans="到访", title_zh_hant="到訪")
    with translation.override("zh-hant"):
        assert survey.title == "到訪"
    with translation.override("zh-hans"):
        assert survey.title == "到访"


def test_a_missing_translation_falls_back_to_english():
    with translation.override("zh-hans"):
        assert Survey(title_en="Visit").title == "Visit"


def test_choices_come_in_the_active_language():
    question = Question(kind="CHOICE", choices_en="Tea\nCoffee", choices_zh_hant="茶\n咖啡")
    with translation.override("zh-hant"):
        assert question.choices == ["茶", "咖啡"]


def test_choices_with_a_translation_missing_stay_english():
    question = Question(kind="CHOICE", choices_en="Tea\nCoffee", choices_zh_hant="茶")
    with translation.override("zh-hant"):
        assert question.choices == ["Tea", "Coffee"]


def test_only_main_questions_have_a_scale():
    scales = {kind: Question(kind=kind).scale for kind in Question.Kind.values}
    assert scales == {"NPS": range(11), "CSAT": range(1, 6), "CES": range(1, 8), "CHOICE": None, "TEXT": None}

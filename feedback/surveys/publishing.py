"""Life of a survey: published, stopped, asked in waves, replaced by a new version."""

from django.db.models import F, Max

from feedback.surveys.models import Question, Survey
from members.lib.transactions import retried

_DEFAULT_CODE = "after-redemption"


class MainQuestionMissing(Exception):
    """A survey needs one question of its own kind before it may ask."""


@retried
def publish(*, survey_id: int) -> None:
    """Let this version ask, and no other of the same code. Raises MainQuestionMissing."""
    survey = Survey.objects.select_for_update().get(pk=survey_id)
    if not survey.questions.filter(kind=survey.kind).exists():
        raise MainQuestionMissing(str(survey))
    Survey.objects.filter(code=survey.code, is_active=True).exclude(pk=survey_id).update(is_active=False)
    Survey.objects.filter(pk=survey_id).update(is_active=True)


def stop(*, survey_id: int) -> None:
    """Ask nobody any more; links that are out can still be answered until they expire."""
    Survey.objects.filter(pk=survey_id).update(is_active=False)


def start_next_wave(*, survey_id: int) -> None:
    """From now on answers count anew: a member has one answer per wave."""
    Survey.objects.filter(pk=survey_id).update(wave=F("wave") + 1)


@retried
def new_version(*, survey_id: int) -> Survey:
    """Return a copy with the same questions, not yet published, whose questions can be changed."""
    survey = Survey.objects.select_for_update().get(pk=survey_id)
    questions = list(survey.questions.all())
    latest = Survey.objects.filter(code=survey.code).aggregate(latest=Max("version"))["latest"]
    survey.pk, survey.version, survey.is_active, survey.wave = None, latest + 1, False, 1
    survey.save(force_insert=True)
    for question in questions:
        question.pk, question.survey = None, survey
        question.save(force_insert=True)
    return survey


@retried
def create_default_surveys() -> None:
    """Create and publish the survey of recommendation after a redemption, unless one of its code exists."""
    survey, is_new = Survey.objects.get_or_create(
        code=_DEFAULT_CODE,
        version=1,
        defaults={
            "kind": Survey.Kind.NPS,
            "delay_hours": 0,
            "title_en": "Your last reward",
            "title_zh_hans": "您最近兑换的奖励",
            "title_zh_hant": "您最近兌換的獎勵",
        },
    )
    if is_new:
        _add_default_questions(survey)
        publish(survey_id=survey.pk)


def _add_default_questions(survey: Survey) -> None:
    Question.objects.create(
        survey=survey,
        order=1,
        kind=Question.Kind.NPS,
        text_en="How likely are you to recommend us to a friend or colleague?",
        text_zh_hans="您有多大可能向朋友或同事推荐我们？",
        text_zh_hant="您有多大可能向朋友或同事推薦我們？",
    )
    Question.objects.create(
        survey=survey,
        order=2,
        kind=Question.Kind.TEXT,
        text_en="What is the main reason for your answer?",
        text_zh_hans="您这样回答的主要原因是什么？",
        text_zh_hant="您這樣回答的主要原因是什麼？",
        is_required=False,
    )

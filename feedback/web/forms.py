"""The form of a survey, made from its questions."""

from collections.abc import Mapping

from django import forms
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from feedback.answers.answering import TEXT_LIMIT, Given, Reply, Sheet
from feedback.surveys.models import Question

SCORE = "score"
ENDS: dict[str, tuple[str | Promise, str | Promise]] = {
    Question.Kind.NPS: (_("not at all likely"), _("extremely likely")),
    Question.Kind.CSAT: (_("very dissatisfied"), _("very satisfied")),
    Question.Kind.CES: (_("strongly disagree"), _("strongly agree")),
}


class AnswerForm(forms.Form):
    """One field per question. What the sent form does not name keeps its earlier value."""

    def __init__(self, sheet: Sheet, sent: Mapping[str, str] | None = None) -> None:
        data = None if sent is None else {**earlier_values(sheet), **sent}
        super().__init__(data, initial=earlier_values(sheet))
        self.sent = sent or {}
        self.questions = {field_name(question): question for question in sheet.questions}
        for name, question in self.questions.items():
            self.fields[name] = field_of(question)

    def given(self) -> Given:
        """Return what the form says, leaving out fields that were not sent or not understood."""
        cleaned = {name: value for name, value in self.cleaned_data.items() if name in self.sent}
        score = cleaned.pop(SCORE, None)
        replies: dict[int, Reply] = {
            self.questions[name].pk: value for name, value in cleaned.items() if value is not None
        }
        return Given(score=score, replies=replies)


def field_name(question: Question) -> str:
    """Return the name of a question's field; links name the main one ``score``."""
    return SCORE if question.scale is not None else f"q{question.pk}"


def field_of(question: Question) -> forms.Field:
    """Return the field of a question."""
    if question.scale is not None:
        return number_field(question, [(step, str(step)) for step in question.scale])
    if question.kind == Question.Kind.CHOICE:
        return number_field(question, list(enumerate(question.choices)))
    return forms.CharField(
        label=question.text,
        required=question.is_required,
        max_length=TEXT_LIMIT,
        widget=forms.Textarea(attrs={"rows": 4}),
    )


def number_field(question: Question, choices: list[tuple[int, str]]) -> forms.TypedChoiceField:
    """Return radio buttons that give a number, None when nothing is chosen."""
    return forms.TypedChoiceField(
        label=question.text,
        required=question.is_required,
        choices=choices,
        coerce=int,
        empty_value=None,
        widget=forms.RadioSelect,
    )


def earlier_values(sheet: Sheet) -> dict[str, Reply]:
    """Return what was said before, by field name."""
    values = {f"q{question_id}": reply for question_id, reply in sheet.replies.items()}
    return values if sheet.score is None else {**values, SCORE: sheet.score}

"""Feedback in the admin: surveys with their questions and scores; invitations and answers to read."""

from collections.abc import Callable
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from feedback.answers.models import Answer, AnswerVersion
from feedback.answers.reporting import survey_report
from feedback.invitations.models import Invitation, SuppressedAsk
from feedback.scores.score import MINIMUM_BASE
from feedback.surveys import publishing
from feedback.surveys.models import Question, Survey


def is_fixed(survey: Survey | None) -> bool:
    """Tell whether answers forbid to change the questions."""
    return survey is not None and survey.is_answered


def fixed_words() -> str:
    """Say why the questions cannot be changed and what to do instead."""
    return gettext("This survey has answers, so its questions are fixed. Make a new version to change them.")


def for_each(surveys: QuerySet[Survey], act: Callable[..., object]) -> None:
    """Do one thing to each chosen survey."""
    for survey in surveys:
        act(survey_id=survey.pk)


def replies_in_words(said: Answer | AnswerVersion) -> SafeString:
    """Write each reply under its question; a choice by its words."""
    survey_id = said.survey_id if isinstance(said, Answer) else said.answer.survey_id
    questions = {str(question.pk): question for question in Question.objects.filter(survey_id=survey_id)}
    lines = [
        (questions[key].text, questions[key].choices[reply] if isinstance(reply, int) else reply)
        for key, reply in said.replies.items()
        if reply != ""
    ]
    return format_html_join("", "<p><strong>{}</strong><br>{}</p>", lines)


class ReadOnly(admin.options.BaseModelAdmin):
    """Rows that only the domain writes."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class QuestionInline(admin.StackedInline):
    """The questions; read-only as soon as the survey has an answer."""

    model = Question
    extra = 0

    def has_add_permission(self, request: HttpRequest, obj: Survey | None = None) -> bool:
        return super().has_add_permission(request, obj) and not is_fixed(obj)

    def has_change_permission(self, request: HttpRequest, obj: Survey | None = None) -> bool:
        return super().has_change_permission(request, obj) and not is_fixed(obj)

    def has_delete_permission(self, request: HttpRequest, obj: Survey | None = None) -> bool:
        return super().has_delete_permission(request, obj) and not is_fixed(obj)


@admin.register(Survey)
class SurveyAdmin(admin.ModelAdmin):
    """Surveys, their questions and what they say."""

    list_display = ["__str__", "code", "kind", "is_active", "wave", "scores_link"]
    list_filter = ["is_active", "kind"]
    inlines = [QuestionInline]
    readonly_fields = ["version", "is_active", "wave", "scores_link"]
    actions = ["publish", "stop", "start_next_wave", "make_new_version"]

    def get_readonly_fields(self, request: HttpRequest, obj: Survey | None = None) -> list[str]:
        fixed = ["code", "kind"] if is_fixed(obj) else []
        return [*self.readonly_fields, *fixed]

    def has_delete_permission(self, request: HttpRequest, obj: Survey | None = None) -> bool:
        return super().has_delete_permission(request, obj) and not is_fixed(obj)

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        survey = self.get_object(request, object_id)
        if request.method == "GET" and is_fixed(survey):
            self.message_user(request, fixed_words(), messages.INFO)
        return super().change_view(request, object_id, form_url, extra_context)

    def get_urls(self) -> list[URLPattern]:
        scores = path("<int:survey_id>/scores/", self.admin_site.admin_view(self.scores), name="feedback_survey_scores")
        return [scores, *super().get_urls()]

    def scores(self, request: HttpRequest, survey_id: int) -> HttpResponse:
        """Show what the survey says, wave by wave."""
        survey = get_object_or_404(Survey, pk=survey_id)
        if not self.has_view_permission(request, survey):
            raise PermissionDenied
        asked = request.GET.get("wave", "")
        waves = range(1, survey.wave + 1)
        wave = next((number for number in waves if str(number) == asked), survey.wave)
        context = {
            **self.admin_site.each_context(request),
            "title": gettext("Scores: %(survey)s") % {"survey": survey},
            "opts": self.opts,
            "report": survey_report(survey=survey, wave=wave),
            "waves": waves,
            "minimum_base": MINIMUM_BASE,
        }
        return TemplateResponse(request, "feedback/admin/scores.html", context)

    @admin.display(description=_("scores"))
    def scores_link(self, survey: Survey) -> SafeString | str:
        """Lead to the page of scores."""
        if survey.pk is None:
            return "-"
        return format_html(
            '<a href="{}">{}</a>', reverse("admin:feedback_survey_scores", args=[survey.pk]), _("Scores")
        )

    @admin.action(description=_("Publish: ask from now on"), permissions=["change"])
    def publish(self, request: HttpRequest, surveys: QuerySet[Survey]) -> None:
        """Let the chosen versions ask."""
        for survey in surveys:
            try:
                publishing.publish(survey_id=survey.pk)
            except publishing.MainQuestionMissing:
                words = gettext("%(survey)s has no main question of its kind.") % {"survey": survey}
                self.message_user(request, words, messages.ERROR)

    @admin.action(description=_("Stop asking"), permissions=["change"])
    def stop(self, request: HttpRequest, surveys: QuerySet[Survey]) -> None:
        """Stop the chosen versions."""
        for_each(surveys, publishing.stop)

    @admin.action(description=_("Start the next wave"), permissions=["change"])
    def start_next_wave(self, request: HttpRequest, surveys: QuerySet[Survey]) -> None:
        """Count answers anew."""
        for_each(surveys, publishing.start_next_wave)

    @admin.action(description=_("Make a new version"), permissions=["add"])
    def make_new_version(self, request: HttpRequest, surveys: QuerySet[Survey]) -> None:
        """Copy the chosen surveys."""
        for_each(surveys, publishing.new_version)


@admin.register(Invitation)
class InvitationAdmin(ReadOnly, admin.ModelAdmin):
    """Who was asked."""

    list_display = [
        "id",
        "survey",
        "wave",
        "member",
        "occasion",
        "state",
        "message_state",
        "due_at",
        "answered_at",
    ]
    list_filter = ["survey", "state", "delivery__state"]
    list_select_related = ["survey", "member", "delivery"]
    search_fields = ["member__number"]
    exclude = ["token"]

    @admin.display(description=_("message"))
    def message_state(self, invitation: Invitation) -> str:
        """Say what became of the message, and why."""
        delivery = invitation.delivery
        return " ".join([delivery.get_state_display(), delivery.reason]).strip() if delivery else "-"


@admin.register(SuppressedAsk)
class SuppressedAskAdmin(ReadOnly, admin.ModelAdmin):
    """Who was left in peace, and why."""

    list_display = ["at", "survey", "member", "occasion", "reason"]
    list_filter = ["reason", "survey"]
    list_select_related = ["survey", "member"]
    search_fields = ["member__number"]


class AnswerVersionInline(ReadOnly, admin.TabularInline):
    """Everything that was said, the newest first."""

    model = AnswerVersion
    exclude = ["replies", "invitation"]
    readonly_fields = ["replies_in_words"]

    @admin.display(description=_("replies"))
    def replies_in_words(self, version: AnswerVersion) -> SafeString:
        """Say the replies with their questions."""
        return replies_in_words(version)


@admin.register(Answer)
class AnswerAdmin(ReadOnly, admin.ModelAdmin):
    """What members said."""

    list_display = ["id", "survey", "wave", "member", "score", "is_complete", "standing_since"]
    list_filter = ["survey", "is_complete", "score"]
    list_select_related = ["survey", "member"]
    search_fields = ["member__number"]
    exclude = ["replies"]
    readonly_fields = ["replies_in_words"]
    inlines = [AnswerVersionInline]

    @admin.display(description=_("replies"))
    def replies_in_words(self, answer: Answer) -> SafeString:
        """Say the replies with their questions."""
        return replies_in_words(answer)

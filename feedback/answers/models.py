"""Answers: what stands, and everything that was said before."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from feedback.answers.querysets import AnswerQuerySet
from feedback.invitations.models import Invitation
from feedback.surveys.models import Survey


class Answer(models.Model):
    """What a member says in one wave of a survey: the last complete version, else the last partial one.

    ``replies`` holds the questions other than the main one: {question id: text or place of the choice}.
    """

    survey = models.ForeignKey(Survey, models.PROTECT, related_name="answers")
    wave = models.PositiveSmallIntegerField(_("wave"))
    member = models.ForeignKey("members.Member", models.PROTECT, related_name="answers")
    invitation = models.ForeignKey(Invitation, models.PROTECT, related_name="answers")
    score = models.PositiveSmallIntegerField(_("score"), null=True)
    replies = models.JSONField(_("replies"), default=dict)
    is_complete = models.BooleanField(_("complete"), default=False)
    started_at = models.DateTimeField(_("first answered"))
    standing_since = models.DateTimeField(_("stands since"))

    objects = AnswerQuerySet.as_manager()

    class Meta:
        verbose_name = _("answer")
        verbose_name_plural = _("answers")
        constraints = [
            models.UniqueConstraint(fields=["survey", "wave", "member"], name="answer_once_per_wave"),
            models.CheckConstraint(condition=Q(score=None) | Q(score__range=(0, 10)), name="answer_score_on_a_scale"),
        ]

    def __str__(self) -> str:
        return f"#{self.pk}"


class AnswerVersion(models.Model):
    """What was said at one time; never changed afterwards."""

    answer = models.ForeignKey(Answer, models.CASCADE, related_name="versions")
    number = models.PositiveIntegerField(_("version"))
    invitation = models.ForeignKey(Invitation, models.PROTECT, related_name="+")
    score = models.PositiveSmallIntegerField(_("score"), null=True)
    replies = models.JSONField(_("replies"), default=dict)
    is_complete = models.BooleanField(_("complete"))
    recorded_at = models.DateTimeField(_("recorded"))

    class Meta:
        verbose_name = _("version of an answer")
        verbose_name_plural = _("versions of an answer")
        ordering = ("-number",)
        constraints = [models.UniqueConstraint(fields=["answer", "number"], name="answer_version_once")]

    def __str__(self) -> str:
        return f"{self.number}"

"""Surveys in versions, and their questions in three languages."""

from typing import Any

from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from feedback.scores import ces, csat, nps
from feedback.surveys.querysets import SurveyQuerySet


class QuestionsAreFixed(Exception):
    """The survey has answers, and changed questions would change their meaning: make a new version."""


class Survey(models.Model):
    """One version of a survey: when it asks whom, and how often at most."""

    class Kind(models.TextChoices):
        NPS = "NPS", _("recommendation, 0-10 (NPS)")
        CSAT = "CSAT", _("satisfaction, 1-5 (CSAT)")
        CES = "CES", _("ease, 1-7 (CES)")

    class Trigger(models.TextChoices):
        REDEEMED = "reward.redeemed", _("after a redemption")

    code = models.SlugField(_("code"), max_length=40)
    version = models.PositiveSmallIntegerField(_("version"), default=1, editable=False)
    kind = models.CharField(_("main question"), max_length=4, choices=Kind.choices, default=Kind.NPS)
    title_en = models.CharField(_("title (English)"), max_length=120)
    title_zh_hans = models.CharField(_("title (简体中文)"), max_length=120, blank=True)
    title_zh_hant = models.CharField(_("title (繁體中文)"), max_length=120, blank=True)
    is_active = models.BooleanField(_("asking"), default=False, editable=False)
    trigger = models.CharField(_("asks"), max_length=40, choices=Trigger.choices, default=Trigger.REDEEMED)
    delay_hours = models.PositiveSmallIntegerField(_("hours after the occasion"), default=24)
    link_days = models.PositiveSmallIntegerField(
        _("days a link can be answered"), default=28, validators=[MinValueValidator(1)]
    )
    quiet_days_any = models.PositiveSmallIntegerField(
        _("days of rest after any survey"),
        default=7,
        help_text=_("No member is asked twice within this time."),
    )
    quiet_days_kind = models.PositiveSmallIntegerField(_("days of rest after a survey of the same kind"), default=90)
    wave = models.PositiveSmallIntegerField(
        _("wave"), default=1, editable=False, help_text=_("A member has one answer in each wave.")
    )

    objects = SurveyQuerySet.as_manager()

    class Meta:
        verbose_name = _("survey")
        verbose_name_plural = _("surveys")
        constraints = [
            models.UniqueConstraint(fields=["code", "version"], name="survey_version_once"),
            models.UniqueConstraint(fields=["code"], condition=Q(is_active=True), name="survey_one_version_asks"),
            models.CheckConstraint(condition=Q(link_days__gt=0), name="survey_link_lasts"),
        ]

    def __str__(self) -> str:
        return f"{self.title} (v{self.version})"

    @property
    def title(self) -> str:
        """The title in the active language, English where it is missing."""
        return in_active_language(self, "title")

    @property
    def is_answered(self) -> bool:
        """Whether anything was answered, so that the questions are fixed."""
        return self.answers.exists()


class Question(models.Model):
    """One question of one version of a survey. Fixed as soon as the survey has an answer."""

    class Kind(models.TextChoices):
        NPS = "NPS", _("0 to 10 (NPS)")
        CSAT = "CSAT", _("1 to 5 (CSAT)")
        CES = "CES", _("1 to 7 (CES)")
        CHOICE = "CHOICE", _("one of several")
        TEXT = "TEXT", _("free text")

    SCALES = {Kind.NPS: nps.SCALE, Kind.CSAT: csat.SCALE, Kind.CES: ces.SCALE}

    survey = models.ForeignKey(Survey, models.CASCADE, related_name="questions")
    order = models.PositiveSmallIntegerField(_("order"), default=1)
    kind = models.CharField(_("kind"), max_length=6, choices=Kind.choices)
    text_en = models.CharField(_("text (English)"), max_length=300)
    text_zh_hans = models.CharField(_("text (简体中文)"), max_length=300, blank=True)
    text_zh_hant = models.CharField(_("text (繁體中文)"), max_length=300, blank=True)
    choices_en = models.TextField(_("choices, one a line (English)"), blank=True)
    choices_zh_hans = models.TextField(_("choices, one a line (简体中文)"), blank=True)
    choices_zh_hant = models.TextField(_("choices, one a line (繁體中文)"), blank=True)
    is_required = models.BooleanField(_("must be answered"), default=True)

    class Meta:
        verbose_name = _("question")
        verbose_name_plural = _("questions")
        ordering = ("order",)
        constraints = [
            models.UniqueConstraint(fields=["survey", "order"], name="question_order_once"),
            models.UniqueConstraint(
                fields=["survey"], condition=Q(kind__in=["NPS", "CSAT", "CES"]), name="question_one_main"
            ),
            models.CheckConstraint(condition=~Q(kind="CHOICE") | ~Q(choices_en=""), name="question_choice_has_choices"),
        ]

    def __str__(self) -> str:
        return self.text

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Save; raise QuestionsAreFixed when the survey has answers."""
        self._refuse_when_answered()
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        """Delete; raise QuestionsAreFixed when the survey has answers."""
        self._refuse_when_answered()
        return super().delete(*args, **kwargs)

    def _refuse_when_answered(self) -> None:
        if self.survey.is_answered:
            raise QuestionsAreFixed(str(self.survey))

    @property
    def text(self) -> str:
        """The question in the active language, English where it is missing."""
        return in_active_language(self, "text")

    @property
    def choices(self) -> list[str]:
        """The choices in the active language; an answer keeps the place in this list, counted from 0."""
        english = self.choices_en.splitlines()
        translated = in_active_language(self, "choices").splitlines()
        return translated if len(translated) == len(english) else english

    @property
    def scale(self) -> range | None:
        """The values a main question takes; None for other questions."""
        return self.SCALES.get(Question.Kind(self.kind))


def in_active_language(row: models.Model, field: str) -> str:
    """Return a translated column of a row in the active language, English where it is empty."""
    language = (get_language() or "en").replace("-", "_")
    text: str = getattr(row, f"{field}_{language}", "") or getattr(row, f"{field}_en")
    return text

"""What a survey says: figures with base and interval, the distribution, the response and the trend."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count
from django.db.models.functions import TruncMonth
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from feedback.answers.models import Answer
from feedback.invitations.models import Invitation, SuppressedAsk
from feedback.scores import ces, csat, nps
from feedback.scores.chart import Chart, bar_chart
from feedback.scores.score import Score, has_changed, share
from feedback.surveys.models import Question, Survey
from members.programme.models import Programme

Counts = Mapping[int, int]


@dataclass(frozen=True)
class Figure:
    """A score under its name; ``score`` is None without any answer."""

    name: str | Promise
    unit: str
    score: Score | None


@dataclass(frozen=True)
class Month:
    """The first figure over the answers of one month, and whether it differs from the month before."""

    start: datetime
    score: Score
    has_changed: bool | None


@dataclass(frozen=True)
class Response:
    """How many of those who got the message answered its invitation."""

    delivered: int
    answered: int

    @property
    def rate(self) -> Score | None:
        """The share in percent; None when nothing was delivered."""
        return share(self.answered, self.delivered)


@dataclass(frozen=True)
class Report:
    """Everything the page of scores shows about one wave."""

    survey: Survey
    wave: int
    figures: list[Figure]
    chart: Chart
    response: Response
    suppressed: list[tuple[str, int]]
    trend: list[Month]


def survey_report(*, survey: Survey, wave: int) -> Report:
    """Return the report of one wave of a survey."""
    standing = Answer.objects.standing(survey, wave=wave)
    counts = standing.counts()
    return Report(
        survey=survey,
        wave=wave,
        figures=figures(survey.kind, counts),
        chart=bar_chart(Question.SCALES[Question.Kind(survey.kind)], counts),
        response=_response(survey, wave),
        suppressed=_suppressed(survey),
        trend=_trend(survey, wave),
    )


def figures(kind: str, counts: Counts) -> list[Figure]:
    """Return the figures in use for a kind of survey; the first one is followed in the trend."""
    if kind == Survey.Kind.NPS:
        return [Figure(_("NPS"), "", nps.nps(nps.groups(counts)))]
    if kind == Survey.Kind.CSAT:
        return [Figure(_("CSAT: share of 4 and 5"), "%", csat.csat(counts))]
    return [
        Figure(_("CES: share of 5 to 7"), "%", ces.ces_share(counts)),
        Figure(_("CES: mean"), "", ces.ces_mean(counts)),
    ]


def _response(survey: Survey, wave: int) -> Response:
    delivered = Invitation.objects.delivered(survey, wave=wave)
    return Response(delivered=delivered.count(), answered=delivered.exclude(answered_at=None).count())


def _suppressed(survey: Survey) -> list[tuple[str, int]]:
    rows = SuppressedAsk.objects.filter(survey=survey).order_by().values_list("reason").annotate(Count("pk"))
    return [(str(SuppressedAsk.Reason(reason).label), count) for reason, count in sorted(rows)]


def _trend(survey: Survey, wave: int) -> list[Month]:
    months: list[Month] = []
    for start, counts in _counts_by_month(survey, wave).items():
        score = figures(survey.kind, counts)[0].score
        if score is not None:
            changed = has_changed(months[-1].score, score) if months else None
            months.append(Month(start=start, score=score, has_changed=changed))
    return months


def _counts_by_month(survey: Survey, wave: int) -> dict[datetime, dict[int, int]]:
    """Return the counts of each month of the programme's calendar that has answers, in order."""
    month = TruncMonth("standing_since", tzinfo=Programme.current().tz)
    rows = Answer.objects.standing(survey, wave=wave).annotate(month=month).order_by("month")
    found: dict[datetime, dict[int, int]] = {}
    for start, score, count in rows.values_list("month", "score").annotate(Count("pk")):
        found.setdefault(start, {})[score] = count
    return found

"""Recording what a member says. Showing a link never records anything: mail scanners open every link."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from feedback.answers.models import Answer, AnswerVersion
from feedback.invitations.links import UnknownLink
from feedback.invitations.models import Invitation
from feedback.surveys.models import Question, Survey
from members.events.log import write_event
from members.lib.clock import database_now
from members.lib.transactions import retried

TEXT_LIMIT = 2000

Reply = str | int


class LinkExpired(Exception):
    """The invitation cannot be answered any more."""


class NothingSaid(Exception):
    """Neither a score nor a reply was given."""


class NoSuchReply(Exception):
    """The survey has no such question, or the question takes no such value."""


@dataclass(frozen=True)
class Given:
    """What one form says. What is absent stays as it was; an empty text takes an earlier one back."""

    score: int | None = None
    replies: Mapping[int, Reply] = field(default_factory=dict)


@dataclass(frozen=True)
class Sheet:
    """What a link opens: the survey with its questions, and what was said so far in this wave."""

    invitation: Invitation
    survey: Survey
    questions: list[Question]
    answer: Answer | None
    score: int | None
    replies: dict[str, Reply]

    @property
    def is_complete(self) -> bool:
        """Whether a complete answer stands."""
        return self.answer is not None and self.answer.is_complete


def open_link(*, token: str, at: datetime) -> Sheet:
    """Return what the link opens. Raises UnknownLink, LinkExpired."""
    invitation = Invitation.objects.select_related("survey", "member").filter(token=token).first()
    _refuse_dead_link(invitation, at)
    assert invitation is not None
    answer = _answer_of(invitation)
    latest = answer.versions.first() if answer else None
    return Sheet(
        invitation=invitation,
        survey=invitation.survey,
        questions=list(invitation.survey.questions.all()),
        answer=answer,
        score=latest.score if latest else None,
        replies=dict(latest.replies) if latest else {},
    )


@retried
def record_answer(*, token: str, given: Given, at: datetime | None = None) -> Answer:
    """Add what is given to what was said before, and return the answer that stands.

    The last complete version stands; until there is one, the last partial version. The same values by the
    same link change nothing. The first complete version writes ``survey.answered`` {answer, survey}. Raises
    UnknownLink, LinkExpired, NothingSaid, NoSuchReply.
    """
    if given.score is None and not given.replies:
        raise NothingSaid
    invitation = Invitation.objects.select_related("survey").filter(token=token).first()
    now = at or database_now()
    _refuse_dead_link(invitation, now)
    assert invitation is not None
    questions = {question.pk: question for question in invitation.survey.questions.all()}
    _refuse_strange_values(questions, given)
    answer = _locked_answer(invitation, now)
    version = _next_version(answer, invitation, given, questions, now)
    if version is None:
        return answer
    version.save(force_insert=True)
    if version.is_complete or not answer.is_complete:
        _let_stand(answer, version)
    return answer


def _refuse_dead_link(invitation: Invitation | None, at: datetime) -> None:
    if invitation is None or invitation.state == Invitation.State.WITHDRAWN:
        raise UnknownLink
    if at >= invitation.expires_at:
        raise LinkExpired


def _refuse_strange_values(questions: Mapping[int, Question], given: Given) -> None:
    if given.score is not None:
        scales = [question.scale for question in questions.values() if question.scale is not None]
        if not any(given.score in scale for scale in scales):
            raise NoSuchReply("score")
    for question_id, reply in given.replies.items():
        question = questions.get(question_id)
        if question is None or not _takes(question, reply):
            raise NoSuchReply(str(question_id))


def _takes(question: Question, reply: Reply) -> bool:
    if question.kind == Question.Kind.TEXT:
        return isinstance(reply, str) and len(reply) <= TEXT_LIMIT
    if question.kind == Question.Kind.CHOICE:
        return isinstance(reply, int) and 0 <= reply < len(question.choices)
    return False


def _answer_of(invitation: Invitation) -> Answer | None:
    return Answer.objects.filter(
        survey_id=invitation.survey_id, wave=invitation.wave, member_id=invitation.member_id
    ).first()


def _locked_answer(invitation: Invitation, at: datetime) -> Answer:
    """Return the member's answer in this wave, made when missing and locked: two links may lead to it."""
    Answer.objects.bulk_create(
        [
            Answer(
                survey_id=invitation.survey_id,
                wave=invitation.wave,
                member_id=invitation.member_id,
                invitation=invitation,
                started_at=at,
                standing_since=at,
            )
        ],
        ignore_conflicts=True,
    )
    return Answer.objects.select_for_update().get(
        survey_id=invitation.survey_id, wave=invitation.wave, member_id=invitation.member_id
    )


def _next_version(
    answer: Answer, invitation: Invitation, given: Given, questions: Mapping[int, Question], at: datetime
) -> AnswerVersion | None:
    """Return the version that follows, not saved; None when nothing new is said."""
    latest = answer.versions.first()
    before = dict(latest.replies) if latest else {}
    replies = before | {str(key): reply for key, reply in given.replies.items()}
    score = given.score if given.score is not None or latest is None else latest.score
    if latest is not None and (invitation, score, replies) == (latest.invitation, latest.score, before):
        return None
    return AnswerVersion(
        answer=answer,
        number=latest.number + 1 if latest else 1,
        invitation=invitation,
        score=score,
        replies=replies,
        is_complete=_is_complete(questions, score, replies),
        recorded_at=at,
    )


def _is_complete(questions: Mapping[int, Question], score: int | None, replies: Mapping[str, Reply]) -> bool:
    required = [question for question in questions.values() if question.is_required]
    return all(
        score is not None if question.scale is not None else replies.get(str(question.pk), "") != ""
        for question in required
    )


def _let_stand(answer: Answer, version: AnswerVersion) -> None:
    is_first = version.is_complete and not answer.is_complete
    answer.score, answer.replies, answer.is_complete = version.score, version.replies, version.is_complete
    answer.invitation, answer.standing_since = version.invitation, version.recorded_at
    answer.save()
    if version.is_complete:
        Invitation.objects.filter(pk=version.invitation_id, answered_at=None).update(answered_at=version.recorded_at)
    if is_first:
        write_event(
            kind="survey.answered",
            member_id=answer.member_id,
            data={"answer": answer.pk, "survey": answer.survey_id},
            occurred_at=version.recorded_at,
        )

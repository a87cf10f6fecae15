"""Surveys, members and invitations for the tests of feedback."""

from datetime import UTC, datetime, timedelta
from itertools import count

from feedback.answers.answering import Given, record_answer
from feedback.answers.models import Answer
from feedback.invitations.asking import ask
from feedback.invitations.models import Invitation
from feedback.surveys.models import Question, Survey
from feedback.surveys.publishing import publish
from members.accounts.enrolment import enrol_member
from members.accounts.models import Member, User

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)

_numbers = count(1)


def make_member(*, email: str | None = None, user: User | None = None, language: str = "en", phone: str = "") -> Member:
    """Return a member with an address of example.com."""
    return enrol_member(
        source="test",
        joined_at=NOON - timedelta(days=400),
        language=language,
        name="Ada Reader",
        email=f"ada{next(_numbers)}@example.com" if email is None else email,
        phone=phone,
        user=user,
    )


def make_user() -> User:
    """Return a login."""
    return User.objects.create_user(email=f"login{next(_numbers)}@example.com", password="a long pass phrase")


def make_survey(
    *, kind: str = "NPS", published: bool = True, comment: bool = True, code: str | None = None, **fields
) -> Survey:
    """Return a survey with its main question and, unless told otherwise, an optional comment."""
    survey = Survey.objects.create(
        kind=kind, code=code or f"survey-{next(_numbers)}", title_en="How are we doing?", **fields
    )
    Question.objects.create(survey=survey, order=1, kind=kind, text_en="How likely?", text_zh_hant="多大可能")
    if comment:
        add_comment(survey)
    if published:
        publish(survey_id=survey.pk)
    survey.refresh_from_db()
    return survey


def add_comment(survey: Survey, *, order: int = 2, is_required: bool = False) -> Question:
    """Add a question for a text."""
    return Question.objects.create(
        survey=survey, order=order, kind=Question.Kind.TEXT, text_en="Why?", is_required=is_required
    )


def invite(survey: Survey, member: Member | None = None, *, at: datetime = NOON) -> Invitation:
    """Return an invitation that nothing held back."""
    decision = ask(
        survey=survey, member_id=(member or make_member()).pk, occasion=f"redemption:{next(_numbers)}", at=at
    )
    assert isinstance(decision, Invitation)
    return decision


def answer(survey: Survey, score: int, *, at: datetime = NOON, member: Member | None = None) -> Answer:
    """Return the answer of a new member, given a little after ``at``."""
    invitation = invite(survey, member, at=at)
    given_at = invitation.due_at + timedelta(minutes=5)
    return record_answer(token=invitation.token, given=Given(score=score), at=given_at)

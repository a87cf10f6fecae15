"""The models of feedback, imported from its packages."""

from feedback.answers.models import Answer, AnswerVersion
from feedback.invitations.models import Invitation, SuppressedAsk
from feedback.surveys.models import Question, Survey

__all__ = ["Answer", "AnswerVersion", "Invitation", "Question", "SuppressedAsk", "Survey"]

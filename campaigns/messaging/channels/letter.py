"""What a channel is given, and what it may answer."""

from dataclasses import dataclass

from campaigns.messaging.models import DeliveryAttempt

Outcome = DeliveryAttempt.Outcome


@dataclass(frozen=True)
class Letter:
    """A finished message for one address."""

    to: str
    subject: str
    text: str
    html: str
    language: str
    message_id: str
    unsubscribe_url: str = ""


@dataclass(frozen=True)
class Answer:
    """What a channel said.

    SENT. REFUSED: surely not sent, may be tried again. FAILED: surely not sent and never will be.
    UNKNOWN: nobody can tell.
    """

    outcome: Outcome
    detail: str = ""

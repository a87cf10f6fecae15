"""A mail server on loopback that keeps what it really received."""

import email
import email.policy
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import EmailMessage

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session


@dataclass
class SmtpSink:
    """The messages received so far, and an answer to give instead of accepting them."""

    port: int
    envelopes: list[Envelope] = field(default_factory=list)
    answer: str = "250 OK"

    @property
    def url(self) -> str:
        """Return the EMAIL_URL of this server."""
        return f"smtp://127.0.0.1:{self.port}"

    @property
    def messages(self) -> list[EmailMessage]:
        """Return the messages, parsed, oldest first."""
        contents = [envelope.content for envelope in self.envelopes]
        return [
            email.message_from_bytes(content, policy=email.policy.default)
            for content in contents
            if isinstance(content, bytes)
        ]

    def to(self, address: str) -> list[EmailMessage]:
        """Return the messages for one address, oldest first."""
        return [message for message in self.messages if address in str(message["to"])]

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802 - aiosmtpd's name
        """Keep the message when it is accepted."""
        if self.answer.startswith("2"):
            self.envelopes.append(envelope)
        return self.answer


def text_of(message: EmailMessage) -> str:
    """Return the plain text of a message."""
    body = message.get_body(("plain",))
    return str(body.get_content()) if body is not None else ""


@contextmanager
def running_sink() -> Iterator[SmtpSink]:
    """Run a mail server until the block ends."""
    sink = SmtpSink(free_port())
    controller = Controller(sink, hostname="127.0.0.1", port=sink.port)
    controller.start()
    try:
        yield sink
    finally:
        controller.stop()


def free_port() -> int:
    """Return a port of loopback that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])

"""The registry of messages: what each one is for, and how its words are filled in.

Apps above add their own.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from campaigns.messaging.models import Delivery

# What a template may be given: plain values, never a model.
Context = Mapping[str, object]
Build = Callable[[Delivery, datetime], Context]
OnSent = Callable[[Delivery], None]


class NothingToSay(Exception):
    """What the message was about is no longer so; the delivery is skipped with this reason."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class NotYet(Exception):
    """What the message tells of has not happened yet; it is tried again a little later."""


@dataclass(frozen=True)
class MessageKind:
    """One kind of message; its texts are the templates ``messages/<code>/``."""

    code: str
    purpose: str
    is_transactional: bool
    build: Build
    on_sent: OnSent | None = None


_kinds: dict[str, MessageKind] = {}


def message(
    code: str, *, purpose: str, transactional: bool = False, on_sent: OnSent | None = None
) -> Callable[[Build], Build]:
    """Register the context builder of one message.

    ``purpose`` is the consent it needs: service, marketing or survey. A ``transactional`` message whose
    answer was lost is sent a second time (prefer a duplicate); any other is not (prefer the loss). The
    builder is called right before the hand-over with the delivery and the instant; it may raise NothingToSay
    or NotYet. ``on_sent`` is called in the transaction that notes the message as sent; it holds the delivery's lock, so
    it may write an event but take no other lock.
    """

    def register(build: Build) -> Build:
        _kinds[code] = MessageKind(code, purpose, transactional, build, on_sent)
        return build

    return register


def kind_of(delivery: Delivery) -> MessageKind:
    """Return the kind of a delivery's message."""
    return _kinds[delivery.message]

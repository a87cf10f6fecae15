"""What a provider of payments is asked, what it answers, and which ones there are."""

from dataclasses import dataclass
from enum import Enum
from typing import Protocol


class Outcome(Enum):
    """What became of a request."""

    DONE = "done"
    DECLINED = "declined"
    WAITING = "waiting"


class NoAnswer(Exception):
    """Nobody knows whether it happened: ask again with the same key."""


class UnknownProvider(Exception):
    """There is no provider of this name."""


@dataclass(frozen=True)
class Request:
    """Take an amount in minor units, or give it back. The same key never does it twice.

    ``reference`` names the means of payment at the provider, for a refund the charge.
    """

    key: str
    amount: int
    currency: str
    reference: str


@dataclass(frozen=True)
class Answer:
    """What happened, and what the provider calls it."""

    outcome: Outcome
    reference: str = ""


class Provider(Protocol):
    """Moves money. Called outside any transaction, at least once per key."""

    name: str
    # Whether it can be asked; otherwise staff record what they received and gave back.
    is_asked: bool

    def charge(self, request: Request) -> Answer:
        """Take money, once per key. Raises NoAnswer."""

    def refund(self, request: Request) -> Answer:
        """Give money back, once per key. Raises NoAnswer."""


_providers: dict[str, Provider] = {}


def register(provider: Provider) -> None:
    """Make a provider known by its name."""
    _providers[provider.name] = provider


def provider_of(name: str) -> Provider:
    """Return the provider of this name. Raises UnknownProvider."""
    try:
        return _providers[name]
    except KeyError as problem:
        raise UnknownProvider(name) from problem

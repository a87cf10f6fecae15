"""Parts of the profile page that apps above add. The home page has none: it asks the database six times at most."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from members.accounts.models import Member

# What the part shows for a member; empty for nothing.
Read = Callable[[Member], dict[str, Any]]

_parts: list[tuple[str, Read]] = []


@dataclass(frozen=True)
class Part:
    """One part: its template, and the values it shows as ``part``."""

    template: str
    values: dict[str, Any]


def part(template: str) -> Callable[[Read], Read]:
    """Register a part of the profile; it is left out where the function returns nothing."""

    def register(read: Read) -> Read:
        _parts.append((template, read))
        return read

    return register


def parts_of(member: Member) -> list[Part]:
    """Return the parts of the profile for a member, in the order in which they were registered."""
    found = [Part(template, read(member)) for template, read in _parts]
    return [each for each in found if each.values]

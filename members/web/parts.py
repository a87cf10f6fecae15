"""Parts of the home page and the profile that apps above add."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from members.accounts.models import Member

HOME, PROFILE = "home", "profile"

# What the part shows for a member; empty for nothing.
Read = Callable[[Member], dict[str, Any]]

_parts: dict[str, list[tuple[str, Read]]] = {HOME: [], PROFILE: []}


@dataclass(frozen=True)
class Part:
    """One part: its template, and the values it shows as ``part``."""

    template: str
    values: dict[str, Any]


def part(page: str, template: str) -> Callable[[Read], Read]:
    """Register a part of a page; it is left out where the function returns nothing."""

    def register(read: Read) -> Read:
        _parts[page].append((template, read))
        return read

    return register


def parts_of(page: str, member: Member) -> list[Part]:
    """Return the parts of a page for a member, in the order in which they were registered."""
    found = [Part(template, read(member)) for template, read in _parts[page]]
    return [each for each in found if each.values]

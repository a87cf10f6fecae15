"""What a member could do next: at most three rows for the home page, the most useful first."""

from dataclasses import dataclass

from django.urls import NoReverseMatch, reverse
from django.utils.translation import gettext as _

from members.accounts.models import Person

SHOWN = 3


@dataclass(frozen=True)
class Suggestion:
    """One row with an address, a picture and a reason."""

    url: str
    icon: str
    title: str
    text: str


def address(name: str) -> str:
    """Return the address of a page, or nothing where its app is not installed."""
    try:
        return reverse(name)
    except NoReverseMatch:
        return ""


def suggestions_for(person: Person, *, spendable: int) -> list[Suggestion]:
    """Return what fits this member now."""
    found = []
    if spendable:
        found.append(
            Suggestion(
                address("rewards:catalogue"),
                "gift",
                _("Choose a reward"),
                _("See what your points can become"),
            )
        )
    else:
        found.append(
            Suggestion(address("portal:card"), "qr", _("Show your card"), _("Every purchase with it brings points"))
        )
    if person.birth_month is None:
        found.append(
            Suggestion(
                address("portal:profile"),
                "cake",
                _("Tell us your birthday"),
                _("A gift comes with it once a year"),
            )
        )
    if not person.name:
        found.append(
            Suggestion(address("portal:profile"), "user", _("Tell us your name"), _("So that we greet you properly"))
        )
    found.append(Suggestion(address("campaigns:refer"), "users", _("Invite a friend"), _("You both get points")))
    found.append(
        Suggestion(address("portal:tiers"), "trophy", _("Compare the tiers"), _("See what the next one brings"))
    )
    return [suggestion for suggestion in found if suggestion.url][:SHOWN]

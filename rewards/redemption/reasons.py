"""What the entry of a redemption says: the reward's name of that day, in the reader's language."""

from typing import Any

from django.utils.translation import get_language
from django.utils.translation import gettext as _

from members.earning.explanation import describes

REDEMPTION = "redemption"


@describes(REDEMPTION)
def name_of_the_reward(data: dict[str, Any]) -> str:
    """Return the reward's name, in English where there is no other; without names, that it was a reward's points."""
    if "names" not in data:
        return _("Points of a reward.")
    names: dict[str, str] = data["names"]
    return names.get(get_language() or "en") or names["en"]

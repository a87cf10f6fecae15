"""What the entry of a redemption says: the reward's name of that day, in the reader's language."""

from typing import Any

from django.utils.translation import get_language

from members.earning.explanation import describes

REDEMPTION = "redemption"


@describes(REDEMPTION)
def name_of_the_reward(data: dict[str, Any]) -> str:
    """Return the reward's name, in English where there is no other."""
    names: dict[str, str] = data["names"]
    return names.get(get_language() or "en") or names["en"]

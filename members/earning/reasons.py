"""Sentences for points that the layers below give."""

from typing import Any

from django.utils.translation import get_language
from django.utils.translation import gettext as _

from members.earning.explanation import describes
from members.tiers.gifts import REASON


@describes(REASON)
def tier_gift(data: dict[str, Any]) -> str:
    """Name the tier that the gift welcomes to, in the reader's language."""
    names = data.get("tier", {})
    return _("Welcome gift: %(tier)s") % {"tier": names.get(get_language() or "en") or names.get("en", "")}

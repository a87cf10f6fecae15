"""Links between the pages of rows that belong together."""

from collections.abc import Callable
from typing import Any

from django.db.models import QuerySet
from django.urls import reverse
from django.utils.html import format_html_join
from django.utils.safestring import SafeString, mark_safe


def links_to(model: str, rows: QuerySet[Any], text: Callable[[Any], str] = str) -> SafeString:
    """Return links to the pages of rows, one below the other; a dash where there are none."""
    addressed = [(reverse(f"admin:members_{model}_change", args=[row.pk]), text(row)) for row in rows.order_by("pk")]
    return format_html_join(mark_safe("<br>"), '<a href="{}">{}</a>', addressed) or SafeString("–")

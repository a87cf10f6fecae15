"""What the templates of every app use: icons, drawn art, QR codes and barcodes, numbers, the programme, navigation."""

from datetime import date, datetime

import segno
from django import template
from django.template import Context
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language

from members.lib.barcodes import bars_of, width_of
from members.lib.periods import last_usable_day
from members.programme.models import Programme
from members.web.art import ICONS, reward_art

register = template.Library()

HTML_LANGUAGES = {"zh-hans": "zh-Hans", "zh-hant": "zh-Hant"}
MINUS = "\N{MINUS SIGN}"


@register.simple_tag
def icon(name: str, extra_class: str = "") -> SafeString:
    """Draw an icon of `members/web/drawings/icons.svg`. It is silent: text must stand beside it."""
    return format_html(
        '<svg class="icon {}" viewBox="0 0 24 24" aria-hidden="true" focusable="false">{}</svg>',
        extra_class,
        mark_safe(ICONS[name]),  # noqa: S308 - our own drawings
    )


@register.simple_tag
def art(seed: object, motif: str = "") -> SafeString:
    """Draw the picture of a reward that has no photograph."""
    return mark_safe(reward_art(str(seed), motif))  # noqa: S308 - our own drawings


@register.simple_tag
def qr(text: str, label: str) -> SafeString:
    """Draw a QR code, black on white with its quiet zone in both themes; ``label`` describes it."""
    symbol = segno.make_qr(text, error="m")
    size = symbol.symbol_size(border=4)[0]
    path = " ".join(
        f"M{x} {y}h1v1h-1z"
        for y, row in enumerate(symbol.matrix_iter(border=4))
        for x, is_dark in enumerate(row)
        if is_dark
    )
    return format_html(
        '<svg viewBox="0 0 {} {}" role="img" aria-label="{}" shape-rendering="crispEdges">'
        '<rect width="100%" height="100%" fill="#ffffff"/><path fill="#000000" d="{}"/></svg>',
        size,
        size,
        label,
        path,
    )


@register.simple_tag
def barcode(digits: str, label: str) -> SafeString:
    """Draw digits as a barcode (Code 128), black on white with quiet zones in both themes; ``label`` describes it."""
    path = "".join(f"M{place} 0h{width}v1h-{width}z" for place, width in bars_of(digits))
    return format_html(
        '<svg viewBox="0 0 {} 1" preserveAspectRatio="none" role="img" aria-label="{}" shape-rendering="crispEdges">'
        '<rect width="100%" height="100%" fill="#ffffff"/><path fill="#000000" d="{}"/></svg>',
        width_of(digits),
        label,
        path,
    )


@register.filter
def points(number: int | None) -> str:
    """Write a number of points with separators of thousands in every language: 12,340."""
    return "" if number is None else f"{number:,}".replace("-", MINUS)


@register.filter
def signed(number: int) -> str:
    """Write a movement of points with its sign: +120, and -40 with a real minus."""
    return f"{number:+,}".replace("-", MINUS)


@register.filter
def last_day(end: datetime | None) -> date | None:
    """Return the last day of the programme's calendar on which what ends then still holds; None without end."""
    return None if end is None else last_usable_day(end, Programme.current().tz)


@register.filter
def grouped(number: str) -> str:
    """Write a member number in groups that people can read out: 123 456 7890."""
    return f"{number[:3]} {number[3:6]} {number[6:]}".strip()


@register.filter
def in_fours(code: str) -> str:
    """Write a long code in groups of four."""
    return " ".join(code[start : start + 4] for start in range(0, len(code), 4))


@register.simple_tag
def html_lang() -> str:
    """Return the active language as HTML wants it: en, zh-Hans, zh-Hant."""
    language = get_language() or "en"
    return HTML_LANGUAGES.get(language, language)


@register.filter
def html_language(code: str) -> str:
    """Write a language code of Django as HTML wants it."""
    return HTML_LANGUAGES.get(code, code)


@register.simple_tag
def programme() -> Programme:
    """Return the programme, for its name and zone."""
    return Programme.current()


@register.simple_tag(takes_context=True)
def current_page(context: Context, *names: str) -> SafeString:
    """Return `aria-current="page"` on one of the named addresses (`portal:home`) or spaces (`rewards:`)."""
    request = context.get("request")
    match = getattr(request, "resolver_match", None)
    if match is None or not any(name in {match.view_name, f"{match.namespace}:"} for name in names):
        return mark_safe("")
    return mark_safe('aria-current="page"')

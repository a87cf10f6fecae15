"""Every text colour can be read on every ground it stands on, in both themes (WCAG 2.2 AA)."""

import re

import pytest
from django.conf import settings

CSS = settings.BASE_DIR / "static" / "css"
GROUNDS = ("bg", "surface", "surface-raised", "surface-sunken")
SOFT = ("success-soft", "warning-soft", "danger-soft", "info-soft")
TEXTS = [(text, ground) for text in ("text", "text-muted", "text-quiet", "accent") for ground in GROUNDS]
VERDICTS = [(name, ground) for name in ("success", "warning", "danger") for ground in ("surface", f"{name}-soft")]
FILLS = [
    ("on-accent", "accent-fill"),
    ("on-accent", "accent-fill-hover"),
    ("on-accent-soft", "accent-soft"),
    ("on-danger", "danger-fill"),
    ("info", "info-soft"),
]
ALERTS = [(text, ground) for text in ("text", "accent") for ground in SOFT]


def declarations(text: str) -> dict[str, str]:
    return dict(re.findall(r"--([\w-]+):\s*([^;]+);", text))


TOKENS = declarations((CSS / "tokens.css").read_text(encoding="utf-8").split("@media")[0])


def colour(name: str, *, dark: bool) -> str:
    """Return the hexadecimal colour that a token has in a theme."""
    value = TOKENS[name]
    pair = re.fullmatch(r"light-dark\((.+),\s*(.+)\)", value)
    if pair:
        value = pair[2 if dark else 1]
    reference = re.fullmatch(r"var\(--([\w-]+)\)", value)
    return colour(reference[1], dark=dark) if reference else value


def luminance(hexadecimal: str) -> float:
    parts = [int(hexadecimal[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize(("text", "ground"), [*TEXTS, *VERDICTS, *FILLS, *ALERTS])
def test_text_can_be_read(text: str, ground: str, dark: bool) -> None:
    assert contrast(colour(text, dark=dark), colour(ground, dark=dark)) >= 4.5


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("mark", ["line-strong", "focus"])
@pytest.mark.parametrize("ground", ["bg", "surface"])
def test_borders_of_fields_and_focus_can_be_seen(mark: str, ground: str, dark: bool) -> None:
    assert contrast(colour(mark, dark=dark), colour(ground, dark=dark)) >= 3


def tones() -> list[dict[str, str]]:
    text = (CSS / "components" / "membercard.css").read_text(encoding="utf-8")
    blocks = re.findall(r"\.tone(?:\[data-rank=\"\d\"\])? \{([^}]*)\}", text)
    found = [declarations(block) for block in blocks if "--tone-a" in block]
    return [found[0] | block for block in found]


@pytest.mark.parametrize("tone", tones())
@pytest.mark.parametrize("stop", ["tone-a", "tone-b", "tone-c"])
@pytest.mark.parametrize("text", ["tone-text", "tone-soft"])
def test_text_on_the_card_of_every_tier_can_be_read(tone: dict[str, str], stop: str, text: str) -> None:
    assert contrast(tone[text], tone[stop]) >= 4.5


def test_four_tiers_have_their_own_colours() -> None:
    assert len({tone["tone-a"] for tone in tones()}) == 4

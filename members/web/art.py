"""Our own drawings: icons, and pictures for rewards without a photograph. The shapes lie in drawings/."""

import re
import zlib
from pathlib import Path

TONES = 6

_SYMBOL = re.compile(r'<symbol id="([\w-]+)"[^>]*>(.*?)</symbol>', re.DOTALL)


def _symbols(name: str) -> dict[str, str]:
    text = (Path(__file__).parent / "drawings" / name).read_text(encoding="utf-8")
    return {symbol: " ".join(shapes.split()) for symbol, shapes in _SYMBOL.findall(text)}


ICONS = _symbols("icons.svg")
MOTIFS = _symbols("motifs.svg")

NAMES = sorted(MOTIFS)


def motif_and_tone(seed: str, motif: str = "") -> tuple[str, int]:
    """Return a motif and a tone for a seed, the same for ever; a known ``motif`` is kept."""
    number = zlib.crc32(seed.encode())
    name = motif if motif in MOTIFS else NAMES[number % len(NAMES)]
    return name, number // 7 % TONES


def reward_art(seed: str, motif: str = "") -> str:
    """Return the picture as SVG. It is decoration: hidden from screen readers."""
    name, tone = motif_and_tone(seed, motif)
    return (
        f'<svg class="art" data-tone="{tone}" viewBox="0 0 320 260" preserveAspectRatio="xMidYMid slice" '
        'aria-hidden="true" focusable="false">'
        '<circle class="art__d" cx="160" cy="136" r="112" opacity=".75"/>'
        '<circle class="art__b" cx="292" cy="28" r="30" opacity=".22"/>'
        '<circle class="art__b" cx="24" cy="228" r="40" opacity=".16"/>'
        f"{MOTIFS[name]}</svg>"
    )

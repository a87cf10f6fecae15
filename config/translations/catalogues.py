"""Read translation catalogues: the text form that people edit and the compiled form that the site uses."""

import ast
import gettext
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from config.translations.sources import Message

FIELDS = ("msgctxt", "msgid_plural", "msgid", "msgstr")


@dataclass
class Entry:
    """One entry of a `.po` file: its texts by keyword (`msgid`, `msgstr[0]`, …) and whether it is fuzzy."""

    texts: dict[str, str] = field(default_factory=dict)
    is_fuzzy: bool = False

    @property
    def message(self) -> Message:
        """Return what the entry translates."""
        texts = self.texts
        return Message(texts.get("msgctxt", ""), texts.get("msgid", ""), texts.get("msgid_plural", ""))

    @property
    def translations(self) -> list[str]:
        """Return the translation, or one for each plural form."""
        return [text for keyword, text in self.texts.items() if keyword.startswith("msgstr")]


def read_po(path: Path) -> list[Entry]:
    """Return the entries of a `.po` file without its header and its obsolete entries."""
    blocks = path.read_text(encoding="utf-8").replace("\r\n", "\n").split("\n\n")
    entries = (read_block(block.splitlines()) for block in blocks)
    return [entry for entry in entries if entry.texts.get("msgid")]


def read_block(lines: list[str]) -> Entry:
    """Return one entry from its lines."""
    entry = Entry()
    keyword = ""
    for line in (line.strip() for line in lines):
        if line.startswith("#,"):
            entry.is_fuzzy = entry.is_fuzzy or "fuzzy" in line
        elif line.startswith('"') and keyword:
            entry.texts[keyword] += unquoted(line)
        elif line.startswith(FIELDS):
            keyword, _, rest = line.partition(" ")
            entry.texts[keyword] = unquoted(rest.strip())
    return entry


def unquoted(literal: str) -> str:
    """Return the text of a quoted string; its escapes are those of C, which Python shares."""
    return str(ast.literal_eval(literal))


def read_mo(path: Path) -> dict[Message, list[str]]:
    """Return the compiled translations, one for each plural form."""
    with path.open("rb") as file:
        catalogue: dict[object, str] = vars(gettext.GNUTranslations(file))["_catalog"]
    found: dict[Message, list[str]] = {}
    for (context, text), translations in grouped(catalogue):
        if text:
            found[Message(context, text)] = translations
    return found


def grouped(catalogue: dict[object, str]) -> Iterator[tuple[tuple[str, str], list[str]]]:
    """Yield context and text with all plural forms."""
    forms: dict[tuple[str, str], dict[int, str]] = {}
    for key, translation in catalogue.items():
        name, number = key if isinstance(key, tuple) else (key, 0)
        context, _, text = str(name).rpartition("\x04")
        forms.setdefault((context, text), {})[int(number)] = translation
    for names, numbered in forms.items():
        yield names, [numbered[number] for number in sorted(numbered)]

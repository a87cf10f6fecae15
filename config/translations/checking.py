"""Say what is wrong with the translations: a text that is missing, empty, fuzzy, stale or still English."""

import re
from collections.abc import Collection, Iterator
from pathlib import Path

from django.utils.translation import to_locale

from config.translations.catalogues import Entry, read_mo, read_po
from config.translations.sources import Message, messages_in

FOLDERS = ("config", "members", "rewards", "campaigns", "feedback", "insights", "templates")
PLACEHOLDER = re.compile(r"%\((\w+)\)")
LETTERS = re.compile(r"[A-Za-z]{2}")


def find_problems(root: Path, languages: Collection[str]) -> list[str]:
    """Return one sentence for each problem in the catalogues of `languages` under `root`/locale."""
    wanted = messages_in(root, FOLDERS)
    names = allowed_names(root / "locale" / "same-as-english.txt")
    problems: list[str] = []
    for language in languages:
        folder = root / "locale" / to_locale(language) / "LC_MESSAGES"
        problems += [f"{language}: {problem}" for problem in problems_of(folder, wanted, names)]
    return problems


def allowed_names(path: Path) -> frozenset[str]:
    """Return the texts that may be the same in every language, one on each line."""
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    return frozenset(line.strip() for line in lines if line.strip() and not line.startswith("#"))


def problems_of(folder: Path, wanted: dict[Message, str], names: frozenset[str]) -> Iterator[str]:
    """Yield the problems of one language."""
    source, compiled = folder / "django.po", folder / "django.mo"
    if not source.exists() or not compiled.exists():
        yield f"{source.name} or {compiled.name} is missing"
        return
    entries = {entry.message: entry for entry in read_po(source)}
    for message, place in wanted.items():
        if message not in entries:
            yield f"no entry for {message.text!r} of {place}"
    for entry in entries.values():
        yield from problems_of_entry(entry, names)
    yield from stale_entries(entries, read_mo(compiled))


def problems_of_entry(entry: Entry, names: frozenset[str]) -> Iterator[str]:
    """Yield what is wrong with one entry."""
    text = entry.message.text
    if entry.is_fuzzy:
        yield f"{text!r} is fuzzy"
    if not entry.translations or not all(entry.translations):
        yield f"{text!r} is not translated"
        return
    for translation in entry.translations:
        if translation == text and text not in names and LETTERS.search(PLACEHOLDER.sub("", text)):
            yield f"{text!r} is still English"
        strange = set(PLACEHOLDER.findall(translation)) - set(PLACEHOLDER.findall(text + entry.message.plural))
        lost = set(PLACEHOLDER.findall(entry.message.plural or text)) - set(PLACEHOLDER.findall(translation))
        if strange or lost:
            yield f"{text!r} has other placeholders than its translation"


def stale_entries(entries: dict[Message, Entry], compiled: dict[Message, list[str]]) -> Iterator[str]:
    """Yield the entries whose compiled translation is another."""
    for message, entry in entries.items():
        used = compiled.get(Message(message.context, message.text))
        if not entry.is_fuzzy and all(entry.translations) and used != entry.translations:
            yield f"the compiled translation of {message.text!r} is stale: run compilemessages"

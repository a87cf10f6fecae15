"""Find every text of the source code that must be translated."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from django.utils.translation.template import templatize

# How many texts a call takes, and whether the first is a context.
CALLS = {
    "_": (1, False),
    "gettext": (1, False),
    "gettext_lazy": (1, False),
    "gettext_noop": (1, False),
    "ngettext": (2, False),
    "ngettext_lazy": (2, False),
    "pgettext": (1, True),
    "pgettext_lazy": (1, True),
    "npgettext": (2, True),
    "npgettext_lazy": (2, True),
}
LITERAL = r"""u?(?:"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')"""
TEMPLATE_CALL = re.compile(rf"\b(_|n?p?gettext)\(\s*({LITERAL}(?:\s*,\s*{LITERAL})*)", flags=re.DOTALL)
TEMPLATE_SUFFIXES = {".html", ".txt", ".subject"}


class Message(NamedTuple):
    """What identifies a text in a catalogue."""

    context: str
    text: str
    plural: str = ""


def messages_in(root: Path, folders: tuple[str, ...]) -> dict[Message, str]:
    """Return every text of the folders under `root`, with the file where it stands first."""
    found: dict[Message, str] = {}
    for folder in folders:
        for path in sorted((root / folder).rglob("*")):
            for message in messages_of_file(path):
                found.setdefault(message, str(path.relative_to(root)))
    return found


def messages_of_file(path: Path) -> Iterator[Message]:
    """Yield the texts of a Python file or a template."""
    if path.suffix == ".py":
        yield from messages_of_python(path.read_text(encoding="utf-8"))
    elif path.suffix in TEMPLATE_SUFFIXES and path.is_file():
        yield from messages_of_template(path.read_text(encoding="utf-8"))


def messages_of_python(source: str) -> Iterator[Message]:
    """Yield the texts in the calls of gettext and its family."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and (name := name_of(node.func)) in CALLS:
            texts = [argument.value for argument in node.args if isinstance(argument, ast.Constant)]
            message = message_of(name, [text for text in texts if isinstance(text, str)])
            if message is not None:
                yield message


def messages_of_template(source: str) -> Iterator[Message]:
    """Yield the texts of the tags and filters of a template."""
    for call in TEMPLATE_CALL.finditer(templatize(source)):
        texts = [str(ast.literal_eval(literal)) for literal in re.findall(LITERAL, call[2], flags=re.DOTALL)]
        message = message_of(call[1], texts)
        if message is not None:
            yield message


def name_of(function: ast.expr) -> str:
    """Return the name by which a function is called."""
    if isinstance(function, ast.Attribute):
        return function.attr
    return function.id if isinstance(function, ast.Name) else ""


def message_of(name: str, texts: list[str]) -> Message | None:
    """Return the message of a call, or None when its texts are not literal."""
    count, has_context = CALLS[name]
    if len(texts) < count + has_context:
        return None
    context = texts[0] if has_context else ""
    own = texts[has_context : has_context + count]
    return Message(context, own[0], own[1] if count == 2 else "") if own[0] else None

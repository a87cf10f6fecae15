"""Rules of the templates that the content security policy would break at run time."""

import re
from pathlib import Path

import pytest

pytestmark = pytest.mark.static

ROOT = Path(__file__).resolve().parent.parent.parent
TEMPLATES = sorted((ROOT / "templates").rglob("*.html"))
# Mail programs know neither style sheets nor our policy.
IN_MAIL = re.compile(r"templates/(messages|.*/mail|.*/email|.*/messages)/")
PAGES = [path for path in TEMPLATES if not IN_MAIL.search(path.as_posix())]

COMMENT = re.compile(r"{%\s*comment.*?endcomment\s*%}|{#.*?#}", flags=re.DOTALL)
INLINE_SCRIPT = re.compile(r"<script(?![^>]*\bsrc=)(?![^>]*type=\"application/json\")[^>]*>", flags=re.IGNORECASE)
HANDLER = re.compile(r"<[^>]+\son[a-z]+\s*=", flags=re.IGNORECASE)
STYLE = re.compile(r"<[^>]+\sstyle\s*=|<style\b", flags=re.IGNORECASE)
FOREIGN = re.compile(r"(?:src|href)=\"(?:https?:)?//(?!www\.w3\.org)", flags=re.IGNORECASE)


def broken_by(pattern: re.Pattern[str]) -> list[str]:
    """Return the pages that the pattern finds something in."""
    texts = {path: COMMENT.sub("", path.read_text(encoding="utf-8")) for path in PAGES}
    return [str(path.relative_to(ROOT)) for path, text in texts.items() if pattern.search(text)]


def test_there_are_templates_to_look_at():
    assert PAGES


def test_no_page_has_an_inline_script():
    assert broken_by(INLINE_SCRIPT) == []


def test_no_page_has_an_event_handler():
    assert broken_by(HANDLER) == []


def test_no_page_has_an_inline_style():
    assert broken_by(STYLE) == []


def test_no_page_loads_anything_from_another_host():
    assert broken_by(FOREIGN) == []


@pytest.mark.parametrize(
    ("pattern", "sample"),
    [
        (INLINE_SCRIPT, "<script>alert(1)</script>"),
        (HANDLER, '<a href="/" onclick="go()">'),
        (STYLE, '<p class="x" style="color:red">'),
        (FOREIGN, '<script src="//cdn.example.com/x.js">'),
    ],
)
def test_the_patterns_find_what_they_look_for(pattern, sample):
    assert pattern.search(sample)

"""The check of the translations finds what it promises to find."""

import subprocess
from pathlib import Path

import pytest

from config.translations.catalogues import read_mo, read_po
from config.translations.checking import find_problems
from config.translations.sources import Message, messages_of_python, messages_of_template

PYTHON = """
from django.utils.translation import gettext as _, ngettext, pgettext
def words(count, name):
    _("Hello %(name)s") % {"name": name}
    ngettext("%(count)d point", "%(count)d points", count)
    pgettext("month", "May")
    _("two " "parts")
    _(name)
"""
TEMPLATE = """{% load i18n %}
{% translate "It's here" %} {{ _("From a filter") }} {% translate "May" context "month" %}
{% blocktranslate count n=points trimmed %}
  {{ n }} point
{% plural %}
  {{ n }} points
{% endblocktranslate %}
"""
HEADER = (
    'msgid ""\nmsgstr ""\n"Content-Type: text/plain; charset=UTF-8\\n"\n"Plural-Forms: nplurals=1; plural=0;\\n"\n\n'
)
GOOD = HEADER + 'msgid "Hello %(name)s"\nmsgstr "你好 %(name)s"\n'


def test_texts_of_python_are_found():
    assert set(messages_of_python(PYTHON)) == {
        Message("", "Hello %(name)s"),
        Message("", "%(count)d point", "%(count)d points"),
        Message("month", "May"),
        Message("", "two parts"),
    }


def test_texts_of_templates_are_found():
    assert set(messages_of_template(TEMPLATE)) == {
        Message("", "It's here"),
        Message("", "From a filter"),
        Message("month", "May"),
        Message("", "%(n)s point", "%(n)s points"),
    }


def write_site(root: Path, catalogue: str, *, names: str = "") -> None:
    (root / "members").mkdir()
    (root / "members" / "words.py").write_text('_("Hello %(name)s")', encoding="utf-8")
    folder = root / "locale" / "zh_Hans" / "LC_MESSAGES"
    folder.mkdir(parents=True)
    (root / "locale" / "same-as-english.txt").write_text(names, encoding="utf-8")
    (folder / "django.po").write_text(catalogue, encoding="utf-8")
    compile_catalogue(folder)


def compile_catalogue(folder: Path) -> None:
    subprocess.run(["msgfmt", "--use-fuzzy", "-o", "django.mo", "django.po"], cwd=folder, check=True)


@pytest.mark.gettext
def test_a_whole_catalogue_has_no_problems(tmp_path):
    write_site(tmp_path, GOOD)
    assert find_problems(tmp_path, ["zh-hans"]) == []


@pytest.mark.gettext
@pytest.mark.parametrize(
    ("catalogue", "problem"),
    [
        (HEADER, "no entry for 'Hello %(name)s'"),
        (HEADER + 'msgid "Hello %(name)s"\nmsgstr ""\n', "is not translated"),
        (HEADER + '#, fuzzy\nmsgid "Hello %(name)s"\nmsgstr "你好 %(name)s"\n', "is fuzzy"),
        (HEADER + 'msgid "Hello %(name)s"\nmsgstr "Hello %(name)s"\n', "is still English"),
        (HEADER + 'msgid "Hello %(name)s"\nmsgstr "你好"\n', "other placeholders"),
    ],
)
def test_a_broken_entry_is_reported(tmp_path, catalogue, problem):
    write_site(tmp_path, catalogue)
    assert any(problem in line for line in find_problems(tmp_path, ["zh-hans"]))


@pytest.mark.gettext
def test_a_name_on_the_list_may_stay_english(tmp_path):
    write_site(tmp_path, GOOD + '\nmsgid "QR"\nmsgstr "QR"\n', names="# names\nQR\n")
    assert find_problems(tmp_path, ["zh-hans"]) == []


@pytest.mark.gettext
def test_a_missing_language_is_reported(tmp_path):
    write_site(tmp_path, GOOD)
    assert find_problems(tmp_path, ["zh-hant"]) == ["zh-hant: django.po or django.mo is missing"]


@pytest.mark.gettext
def test_a_stale_compiled_catalogue_is_reported(tmp_path):
    write_site(tmp_path, GOOD)
    source = tmp_path / "locale" / "zh_Hans" / "LC_MESSAGES" / "django.po"
    source.write_text(GOOD.replace("你好", "您好"), encoding="utf-8")
    assert any("is stale" in line for line in find_problems(tmp_path, ["zh-hans"]))


@pytest.mark.gettext
def test_plural_forms_are_read_from_both_forms_of_a_catalogue(tmp_path):
    plural = 'msgid "%(count)d point"\nmsgid_plural "%(count)d points"\nmsgstr[0] "%(count)d "\n"积分"\n'
    write_site(tmp_path, GOOD + "\n" + plural)
    folder = tmp_path / "locale" / "zh_Hans" / "LC_MESSAGES"
    assert read_po(folder / "django.po")[1].translations == ["%(count)d 积分"]
    assert read_mo(folder / "django.mo")[Message("", "%(count)d point")] == ["%(count)d 积分"]

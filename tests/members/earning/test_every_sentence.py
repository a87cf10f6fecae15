"""Every kind of entry and every reason code has a sentence in each language, and no word of staff breaks a page."""

import pytest
from django.conf import settings
from django.utils.translation import override

from members.earning.explanation import _reasons, explain
from members.ledger.models import PointsEntry, PointType

LANGUAGES = [code for code, _name in settings.LANGUAGES]
Kind = PointsEntry.Kind
NAMES = {"en": "Tea", "zh-hans": "茶（简）", "zh-hant": "茶（繁）"}
# What the codes keep for their sentences, all of them together.
DATA = {
    "names": NAMES, "tier": NAMES, "number": "C-1", "giver": "1234", "taker": "5678", "rule": NAMES, "plan": 0,
    "asked": 9, "shortfall": 4, "debt": 2,
}  # fmt: skip
# Here somebody writes why in their own words.
FREE_WORDS = {Kind.ADJUST, Kind.GRANT, Kind.REDEEM, Kind.REFUND, Kind.REINSTATE, Kind.TAKE_BACK, Kind.RETURN}


def said(language, **fields):
    entry = PointsEntry(breakdown=DATA, points=5, point_type=PointType.SPENDABLE, **fields)
    with override(language):
        return explain(entry)


def is_translated(sentences):
    """Tell whether each language says it in its own words."""
    return len({tuple(each) for each in sentences}) == len(LANGUAGES)


def test_every_kind_of_entry_says_why_in_three_languages():
    assert len(LANGUAGES) == 3
    for kind in set(Kind) - FREE_WORDS:
        sentences = [said(language, kind=kind, reason="") for language in LANGUAGES]
        assert all(all(each) and each for each in sentences), kind
        assert is_translated(sentences), (kind, sentences)


def test_what_was_taken_back_says_what_is_missing_in_three_languages():
    for kind in (Kind.RETURN, Kind.TAKE_BACK):
        assert is_translated([said(language, kind=kind, reason="") for language in LANGUAGES]), kind


@pytest.mark.django_db
@pytest.mark.parametrize("reason", sorted(_reasons))
def test_every_reason_code_is_a_sentence_in_three_languages(reason):
    sentences = [said(language, kind=Kind.GRANT, reason=reason) for language in LANGUAGES]
    assert all(sentence and reason != sentence for each in sentences for sentence in each), sentences
    assert is_translated(sentences), sentences


@pytest.mark.django_db
@pytest.mark.parametrize("reason", sorted(_reasons))
def test_somebodys_own_word_that_is_also_a_code_breaks_no_page(reason):
    entry = PointsEntry(kind=Kind.ADJUST, reason=reason, breakdown={}, points=5, point_type=PointType.SPENDABLE)
    assert explain(entry)

"""Drawings and template tags."""

import xml.etree.ElementTree as ET

import pytest
from django.template import Context, Template
from django.utils.translation import override

from members.templatetags import design
from members.web import art


@pytest.mark.parametrize("name", sorted(art.ICONS))
def test_every_icon_is_sound_svg_and_hidden_from_screen_readers(name: str) -> None:
    drawn = ET.fromstring(design.icon(name))
    assert drawn.get("aria-hidden") == "true"
    assert len(drawn)


@pytest.mark.parametrize("motif", art.NAMES)
def test_every_motif_is_sound_svg(motif: str) -> None:
    assert len(ET.fromstring(art.reward_art("rwd_1", motif))) > 3


def test_a_reward_keeps_its_picture() -> None:
    assert art.reward_art("rwd_abc") == art.reward_art("rwd_abc")


def test_rewards_differ_in_tone_and_motif() -> None:
    pictures = {art.motif_and_tone(f"rwd_{number}") for number in range(500)}
    assert len(pictures) == art.TONES * len(art.NAMES)


def test_an_unknown_motif_falls_back_to_the_seed() -> None:
    assert art.motif_and_tone("rwd_1", "dragon") == art.motif_and_tone("rwd_1")


def test_the_qr_code_has_a_white_quiet_zone_of_four_modules() -> None:
    drawn = ET.fromstring(design.qr("4821937565", "label"))
    # Ten digits fit version 1: 21 modules and four on each side.
    assert drawn.get("viewBox") == "0 0 29 29"
    ground, modules = drawn
    assert ground.get("fill") == "#ffffff"
    places = [tuple(map(int, move.split("h")[0].split())) for move in (modules.get("d") or "").split("M")[1:]]
    assert min(x for x, _y in places) == min(y for _x, y in places) == 4
    assert max(x for x, _y in places) == max(y for _x, y in places) == 24


def test_the_label_of_a_qr_code_is_escaped() -> None:
    assert "<b>" not in design.qr("1", '"><b>')


@pytest.mark.parametrize(("number", "text"), [(0, "0"), (12340, "12,340"), (-1000, "−1,000"), (None, "")])
def test_points_are_written_with_separators(number: int | None, text: str) -> None:
    assert design.points(number) == text


@pytest.mark.parametrize(("number", "text"), [(0, "+0"), (1200, "+1,200"), (-1200, "−1,200")])
def test_movements_carry_their_sign(number: int, text: str) -> None:
    assert design.signed(number) == text


def test_member_numbers_and_codes_are_grouped() -> None:
    assert design.grouped("4821937565") == "482 193 7565"
    assert design.in_fours("ABCD2345EF") == "ABCD 2345 EF"


@pytest.mark.parametrize(("language", "html"), [("en", "en"), ("zh-hans", "zh-Hans"), ("zh-hant", "zh-Hant")])
def test_the_language_is_written_as_html_wants_it(language: str, html: str) -> None:
    with override(language):
        assert design.html_lang() == html


def test_outside_a_page_nothing_is_current() -> None:
    assert Template("{% load design %}{% current_page 'portal:home' %}").render(Context()) == ""

"""Codes after a pattern, and codes out of files."""

import pytest

from members.lib.codes import fold_code, is_well_formed
from rewards.codes.patterns import ImpossiblePattern, Pattern
from rewards.codes.pool import generate_codes, upload_codes
from rewards.codes.reading import codes_in
from rewards.redemption.models import Redemption
from tests.rewards.factories import make_member, make_redemption, make_reward


@pytest.mark.parametrize(
    ("pattern", "count", "problem"),
    [
        (Pattern("#####", charset="ABC"), 1000, "too_few"),
        (Pattern("##", charset="0123456789", prefix="TEA"), 11, "too_few"),
        (Pattern(charset="O0AB"), 1, "look_alikes"),
        (Pattern(charset="AABB"), 1, "look_alikes"),
        (Pattern(charset="A*"), 1, "symbols"),
        (Pattern(prefix="käse"), 1, "symbols"),
        (Pattern("#" * 31), 1, "length"),
        (Pattern("##", has_check=False), 1, "length"),
    ],
)
def test_the_impossible_is_refused_up_front(pattern, count, problem):
    with pytest.raises(ImpossiblePattern) as refused:
        pattern.refuse_impossible(count)
    assert refused.value.problem == problem


def test_ten_combinations_for_each_code_are_enough():
    Pattern("##", charset="0123456789", prefix="TEA").refuse_impossible(10)


def test_a_code_has_its_parts_and_a_check_symbol_that_finds_every_slip():
    code = Pattern("##-####", prefix="TEA-", postfix="-UK").one()
    assert code.startswith("TEA-")
    assert (code[6], code[11:14], len(code)) == ("-", "-UK", 15)
    folded = fold_code(code)
    assert is_well_formed(folded)
    for place in range(len(folded)):
        other = "0" if folded[place] != "0" else "1"
        assert not is_well_formed(folded[:place] + other + folded[place + 1 :])


@pytest.mark.django_db
def test_generated_codes_differ_also_from_earlier_ones():
    pattern = Pattern("###", charset="0123456789", prefix="TEA", has_check=False)
    first, second = make_reward(), make_reward()
    for reward in (first, second):
        generate_codes(reward_id=reward.pk, count=100, actor_id=None, pattern=pattern)
    codes = [*first.codes.values_list("code", flat=True), *second.codes.values_list("code", flat=True)]
    assert len(set(codes)) == 200


@pytest.mark.django_db
def test_a_pattern_that_earlier_codes_used_up_is_refused_and_adds_nothing():
    pattern = Pattern("##", charset="0123456789", prefix="TEA", has_check=False)
    reward = make_reward()
    taken = [pattern.prefix + f"{number:02d}" for number in range(95)]
    upload_codes(reward_id=reward.pk, lines=taken, actor_id=None)
    with pytest.raises(ImpossiblePattern):
        generate_codes(reward_id=reward.pk, count=10, actor_id=None, pattern=pattern)
    assert reward.codes.count() == 95


@pytest.mark.django_db
def test_a_shown_code_is_found_however_it_is_typed_and_never_by_a_part():
    reward = make_reward(stock=None, codes=["Tea-O1-99"])
    made = make_redemption(member=make_member(points=100), reward=reward)
    for typed in ("Tea-O1-99", "tea 0i 99", "TEA0199"):
        assert Redemption.objects.with_code(typed).get() == made
    for typed in ("", "Tea", "Tea-O1-9", "%"):
        assert not Redemption.objects.with_code(typed).exists()


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        ("AAAA\n\n BBBB \n", ["AAAA", " BBBB "]),
        ("\ufeffcode\nAAAA\nBBBB", ["AAAA", "BBBB"]),
        ("id,Voucher Code,worth\n1,AAAA,5\n2,BBBB,5\n3\n", ["AAAA", "BBBB", ""]),
        ("序号;兑换码\n1;AAAA", ["AAAA"]),
        ("AAAA,5.00\nBBBB,5.00", ["AAAA", "BBBB"]),
        ('code\tnote\n"AA\tAA"\tx', ["AA\tAA"]),
        ("", []),
    ],
)
def test_codes_are_read_from_lines_and_from_csv(text, codes):
    assert codes_in(text) == codes

"""Codes and numbers that people type."""

from hypothesis import given
from hypothesis import strategies as st

from members.lib import codes

bodies = st.text(alphabet=codes.ALPHABET, min_size=1, max_size=30)
digit_strings = st.text(alphabet="0123456789", min_size=1, max_size=12)


@given(bodies, st.data())
def test_one_wrong_symbol_is_always_found(body, data):
    code = body + codes.check_symbol(body)
    place = data.draw(st.integers(0, len(code) - 1))
    wrong = data.draw(st.sampled_from([symbol for symbol in codes.ALPHABET if symbol != code[place]]))
    assert codes.is_well_formed(code)
    assert not codes.is_well_formed(code[:place] + wrong + code[place + 1 :])


@given(st.text(alphabet=codes.ALPHABET, min_size=2, max_size=30), st.data())
def test_two_swapped_neighbours_are_always_found(body, data):
    place = data.draw(st.integers(0, len(body) - 2))
    swapped = body[:place] + body[place + 1] + body[place] + body[place + 2 :]
    if swapped != body:
        assert not codes.is_well_formed(swapped + codes.check_symbol(body))


@given(digit_strings, st.data())
def test_one_wrong_digit_of_a_number_is_always_found(digits, data):
    place = data.draw(st.integers(0, len(digits) - 1))
    wrong = data.draw(st.sampled_from([digit for digit in "0123456789" if digit != digits[place]]))
    assert codes.check_digit(digits + codes.check_digit(digits)) == "0"
    assert codes.check_digit(digits[:place] + wrong + digits[place + 1 :] + codes.check_digit(digits)) != "0"


def test_the_published_example_of_damm():
    assert codes.check_digit("572") == "4"


def test_what_people_mean_is_read():
    assert codes.fold_code(" abcd-efo1 iluz") == "ABCDEF01 11V2".replace(" ", "")


def test_fresh_codes_are_well_formed_and_different():
    fresh = {codes.random_code() for _ in range(200)}
    assert len(fresh) == 200
    assert all(codes.is_well_formed(code) for code in fresh)


def test_fresh_member_numbers_check_and_others_do_not():
    number = codes.random_member_number()
    assert codes.is_member_number(number)
    assert not codes.is_member_number(number[:-1] + str((int(number[-1]) + 1) % 10))
    assert not codes.is_member_number("１２３４５６７８９０")

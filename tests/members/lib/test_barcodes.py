"""Code 128: what a reader of bars gets back is what was written."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from members.lib.barcodes import _WIDTHS, QUIET_MODULES, bars_of, symbols_of, width_of


def read(digits: str) -> str:
    """Read the drawn bars as a scanner does: by the widths of bars and spaces alone."""
    modules = [False] * width_of(digits)
    for place, width in bars_of(digits):
        modules[place : place + width] = [True] * width
    assert not any(modules[:QUIET_MODULES] + modules[-QUIET_MODULES:])
    runs, last = [], None
    for is_dark in modules[QUIET_MODULES:-QUIET_MODULES]:
        if is_dark == last:
            runs[-1] += 1
        else:
            runs.append(1)
            last = is_dark
    widths = "".join(map(str, runs))
    body, stop = widths[:-7], widths[-7:]
    symbols = [_WIDTHS.index(body[start : start + 6]) for start in range(0, len(body), 6)]
    assert (symbols[0], stop) == (105, "2331112")
    pairs, check = symbols[1:-1], symbols[-1]
    assert check == (105 + sum(place * pair for place, pair in enumerate(pairs, 1))) % 103
    return "".join(f"{pair:02d}" for pair in pairs)


def test_the_table_is_that_of_the_standard_as_far_as_its_rules_tell():
    assert len(set(_WIDTHS)) == len(_WIDTHS) == 107
    for widths in _WIDTHS[:106]:
        assert sum(map(int, widths)) == 11
        # The bars of every symbol are an even number of modules.
        assert sum(map(int, widths[::2])) % 2 == 0


def test_a_known_symbol():
    # 42 18 40 20 50: start C, five pairs, check (105 + 42 + 36 + 120 + 80 + 250) mod 103 = 15.
    assert symbols_of("4218402050") == [105, 42, 18, 40, 20, 50, 15, 106]
    assert width_of("4218402050") == 11 * 7 + 13 + 20


@given(st.integers(0, 10**10 - 1))
def test_a_member_number_is_read_back(number):
    digits = f"{number:010d}"
    assert read(digits) == digits


@pytest.mark.parametrize("text", ["123", "12a4", "١٢", "12 4"])
def test_what_is_not_pairs_of_digits_is_refused(text):
    with pytest.raises(ValueError, match=text):
        bars_of(text)

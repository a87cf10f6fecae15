"""Code 128 (ISO/IEC 15417) for digits: pairs of digits in code set C, a check symbol, start and stop. Pure."""

_START_C, _STOP = 105, 106
# Widths in modules of bar, space, bar, … by the value of the symbol; the stop has a last bar more.
_TABLE = (
    "212222 222122 222221 121223 121322 131222 122213 122312 132212 221213 221312 231212 112232 122132 122231 113222 "
    "123122 123221 223211 221132 221231 213212 223112 312131 311222 321122 321221 312212 322112 322211 212123 212321 "
    "232121 111323 131123 131321 112313 132113 132311 211313 231113 231311 112133 112331 132131 113123 113321 133121 "
    "313121 211331 231131 213113 213311 213131 311123 311321 331121 312113 312311 332111 314111 221411 431111 111224 "
    "111422 121124 121421 141122 141221 112214 112412 122114 122411 142112 142211 241211 221114 413111 241112 134111 "
    "111242 121142 121241 114212 124112 124211 411212 421112 421211 212141 214121 412121 111143 111341 131141 114113 "
    "114311 411113 411311 113141 114131 311141 411131 211412 211214 211232 2331112"
)
_WIDTHS = _TABLE.split()
QUIET_MODULES = 10


def bars_of(digits: str) -> list[tuple[int, int]]:
    """Return the bars for an even number of digits as (place, width) in modules, a quiet zone before the first.

    The symbol with both quiet zones is ``width_of(digits)`` modules wide. Raises ValueError for anything else.
    """
    bars, place, is_bar = [], QUIET_MODULES, True
    for width in (int(width) for symbol in symbols_of(digits) for width in _WIDTHS[symbol]):
        if is_bar:
            bars.append((place, width))
        place, is_bar = place + width, not is_bar
    return bars


def width_of(digits: str) -> int:
    """Return the width of the whole symbol in modules, quiet zones included."""
    place, width = bars_of(digits)[-1]
    return place + width + QUIET_MODULES


def symbols_of(digits: str) -> list[int]:
    """Return start, pairs, check symbol (the weighted sum modulo 103) and stop."""
    if not (digits.isascii() and digits.isdigit() and len(digits) % 2 == 0):
        raise ValueError(digits)
    pairs = [int(digits[start : start + 2]) for start in range(0, len(digits), 2)]
    check = (_START_C + sum(weight * pair for weight, pair in enumerate(pairs, start=1))) % 103
    return [_START_C, *pairs, check, _STOP]

"""What generated codes look like: a pattern with ``#`` for each random symbol. Pure but for the dice."""

import secrets
from dataclasses import dataclass

from members.lib.codes import ALPHABET, check_symbol, fold_code

LENGTHS = range(4, 65)
_LONGEST_CHECKED = 30
# Fewer combinations for each code wanted, and codes could be guessed, or not be found at all.
COMBINATIONS_FOR_EACH = 10


class ImpossiblePattern(Exception):
    """No code can be made like this; ``problem`` says why, for machines."""

    def __init__(self, problem: str, **figures: int) -> None:
        super().__init__(f"{problem} {figures}")
        self.problem = problem
        self.figures = figures


@dataclass(frozen=True)
class Pattern:
    """``prefix``, then ``text`` with a random symbol of ``charset`` for each ``#``, then ``postfix``.

    With ``has_check`` a check symbol follows, over all that stands before as ``fold_code`` reads it: a wrong symbol or
    a swap of two is noticed (``lib.codes.is_well_formed`` of the folded code). Dashes are for the eye alone.
    """

    text: str = "#" * 17
    charset: str = ALPHABET
    prefix: str = ""
    postfix: str = ""
    has_check: bool = True

    @property
    def combinations(self) -> int:
        """How many different codes there are."""
        return int(len(self.charset) ** self.text.count("#"))

    def refuse_impossible(self, count: int) -> None:
        """Raise ImpossiblePattern when ``count`` codes cannot be made, or only in a way that invites guessing.

        Problems: ``symbols`` (a symbol that codes do not have), ``look_alikes`` (two symbols that people mistake),
        ``length``, ``too_few`` (fewer than ten combinations for each code wanted).
        """
        whole = self.prefix + self.text.replace("#", "") + self.postfix
        if not set(fold_code(whole + self.charset)) <= set(ALPHABET):
            raise ImpossiblePattern("symbols")
        if len({fold_code(symbol) for symbol in self.charset}) != len(self.charset) or "-" in self.charset:
            raise ImpossiblePattern("look_alikes")
        length = len(self.prefix + self.text + self.postfix) + self.has_check
        if length not in LENGTHS or (self.has_check and length - 1 > _LONGEST_CHECKED):
            raise ImpossiblePattern("length")
        if self.combinations < COMBINATIONS_FOR_EACH * count:
            raise ImpossiblePattern("too_few", combinations=self.combinations, count=count)

    def one(self) -> str:
        """Return a fresh random code."""
        body = "".join(secrets.choice(self.charset) if symbol == "#" else symbol for symbol in self.text)
        code = f"{self.prefix}{body}{self.postfix}"
        return code + check_symbol(fold_code(code)) if self.has_check else code

"""Codes that people type: a safe alphabet, check symbols, member numbers."""

import secrets

# Crockford's set without Z: 31 symbols, so that a weighted sum modulo the prime 31 finds every single
# wrong symbol and every swap of two neighbours.
ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXY"
_LOOKALIKES = str.maketrans({"O": "0", "I": "1", "L": "1", "Z": "2", "U": "V", "-": None, " ": None})

# The quasigroup of Damm (2004): finds every single wrong digit and every swap of neighbours.
_DAMM = (
    "0317598642",
    "7092154863",
    "4206871359",
    "1750983426",
    "6123045978",
    "3674209581",
    "5869720134",
    "8945362017",
    "9438617205",
    "2581436790",
)


def fold_code(typed: str) -> str:
    """Return what was meant: upper case, without spaces and dashes, look-alikes mapped (O→0, I→1, Z→2, U→V)."""
    return typed.upper().translate(_LOOKALIKES)


def check_symbol(body: str) -> str:
    """Return the check symbol for a folded code body of at most 30 symbols of ALPHABET."""
    total = sum(weight * ALPHABET.index(symbol) for weight, symbol in enumerate(body, start=1))
    return ALPHABET[total % 31]


def random_code(length: int = 17) -> str:
    """Return a fresh code: ``length`` random symbols (17 hold 84 bits) and a check symbol."""
    body = "".join(secrets.choice(ALPHABET) for _ in range(length))
    return body + check_symbol(body)


def is_well_formed(code: str) -> bool:
    """Tell whether a folded code carries the right check symbol."""
    body, check = code[:-1], code[-1:]
    return bool(body) and all(symbol in ALPHABET for symbol in code) and check_symbol(body) == check


def random_token(prefix: str) -> str:
    """Return a public id such as ``mem_8K2…``: never guessable (80 bits), never an order."""
    return f"{prefix}_{''.join(secrets.choice(ALPHABET) for _ in range(17)).lower()}"


def check_digit(digits: str) -> str:
    """Return the Damm check digit of a string of digits."""
    state = 0
    for digit in digits:
        state = int(_DAMM[state][int(digit)])
    return str(state)


def random_member_number() -> str:
    """Return a fresh 10-digit member number: nine random digits and a check digit."""
    digits = str(secrets.randbelow(900_000_000) + 100_000_000)
    return digits + check_digit(digits)


def is_member_number(typed: str) -> bool:
    """Tell whether the ten digits carry the right check digit."""
    return len(typed) == 10 and typed.isascii() and typed.isdigit() and check_digit(typed) == "0"

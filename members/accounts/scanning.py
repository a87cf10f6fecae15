"""What a till scanned or typed: whose card it is, and whether the card was there."""

import re
import unicodedata
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum

from members.accounts import live_codes
from members.accounts.access import find_member
from members.accounts.models import CardUse, Member
from members.lib import codes
from members.lib.clock import database_now
from members.lib.transactions import committed

_NUMBER = 10
WRONG_CODES = 5
WRONG_CODES_WITHIN = timedelta(minutes=15)


@dataclass(frozen=True)
class ScannedMember:
    """The member of a card; ``is_live`` when the code of this minute came along: the card was there.

    Without it only the number is known, and a number is no secret: it may collect points, never spend them.
    """

    member: Member
    is_live: bool


class CodeRefused(Exception):
    """The code is not of this card and minute: wrong or too old. Ask for the one that the card shows now."""


class CodeUsed(CodeRefused):
    """The code was used before. The card shows the next one within a minute."""


class TooManyWrongCodes(Exception):
    """So many wrong codes came for this card that for some minutes none is looked at; its number still collects."""


def resolve_card(*, typed: str, at: datetime | None = None) -> ScannedMember:
    """Return whose card a till scanned or typed. The door of everything that needs to know that the card was there.

    ``typed`` is what the scanner or the keyboard sent; spaces, dashes and full-width digits do no harm:

    * the number and the eight digits of the live code, 18 digits (the QR code of the card) → ``is_live``;
    * the number alone (the barcode, a plastic card), or what ``access.find_member`` knows → not live.

    A live code counts in its minute and the one after it (``at``; None reads the clock), and once: it is used up when
    this returns, whatever becomes of what the till does next. So call it outside any transaction (RuntimeError else),
    once per scan, and hand the answer on; a repeated request finds its stored answer before it comes here.
    The fifth wrong code for a card within a quarter of an hour stops looking at codes for the rest of it. How many
    numbers one caller may try is for the caller's door to limit.

    Raises MemberNotFound, LostCard (also with a live code), CodeRefused, CodeUsed or TooManyWrongCodes.
    """
    digits = re.sub(r"[\s-]", "", unicodedata.normalize("NFKC", typed))
    if not (digits.isascii() and digits.isdigit()):
        return ScannedMember(find_member(typed), is_live=False)
    number, code = digits[:_NUMBER], digits[_NUMBER:]
    member = find_member(number if codes.is_member_number(number) and len(code) in {0, live_codes.DIGITS} else "")
    if not code:
        return ScannedMember(member, is_live=False)
    verdict = _use(member=member, code=code, at=at)
    if verdict is not _Verdict.GOOD:
        raise _REFUSALS[verdict]
    return ScannedMember(member, is_live=True)


class _Verdict(Enum):
    GOOD, WRONG, USED, LOCKED = range(4)


_REFUSALS = {_Verdict.WRONG: CodeRefused, _Verdict.USED: CodeUsed, _Verdict.LOCKED: TooManyWrongCodes}


@committed
def _use(*, member: Member, code: str, at: datetime | None) -> _Verdict:
    """Use up the code, or count a wrong one; both stand when this returns, so a refusal is no exception here."""
    CardUse.objects.bulk_create([CardUse(member=member)], ignore_conflicts=True)
    card = CardUse.objects.select_for_update(no_key=True).get(member=member)
    now = at or database_now()
    if card.wrong_since is None or now >= card.wrong_since + WRONG_CODES_WITHIN:
        card.wrong_since, card.wrong_codes = None, 0
    if card.wrong_codes >= WRONG_CODES:
        return _Verdict.LOCKED
    step = live_codes.matching_step(member, code, at=now)
    if step is None:
        card.wrong_since, card.wrong_codes = card.wrong_since or now, card.wrong_codes + 1
        card.save(update_fields=["wrong_since", "wrong_codes"])
        return _Verdict.WRONG
    if card.last_step is not None and step <= card.last_step:
        return _Verdict.USED
    card.last_step = step
    card.save(update_fields=["last_step"])
    return _Verdict.GOOD

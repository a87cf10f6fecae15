"""The code on a member's card that changes every minute: proof that the card is in front of us now.

A keyed hash of the member, the number on the card and the minute, cut to eight digits. Nothing is stored to make one;
a new number of the card makes all its codes new.
"""

import hmac
from datetime import datetime
from typing import NamedTuple

from django.conf import settings
from django.utils.crypto import salted_hmac

from members.accounts.models import Member

STEP_SECONDS = 60
DIGITS = 8
# The current step and the one before: a code can be shown, typed and sent without a race against the minute.
_STEPS_TAKEN = 2
# Says what the key is for, so that nothing else that is signed with the secret can be used as a code.
_PURPOSE = "members.accounts.live_codes"


class LiveCode(NamedTuple):
    """Eight digits, and in how many whole seconds the next ones take their place."""

    digits: str
    seconds_left: int


def live_code(member: Member, *, at: datetime) -> LiveCode:
    """Return the code that the member's card shows at an instant."""
    left = STEP_SECONDS - int(at.timestamp()) % STEP_SECONDS
    return LiveCode(_code_of(member, step_at(at)), left)


def step_at(at: datetime) -> int:
    """Return the number of the minute."""
    return int(at.timestamp()) // STEP_SECONDS


def matching_step(member: Member, digits: str, *, at: datetime) -> int | None:
    """Return of which step these digits are the member's code, None for no step that counts at ``at``."""
    now = step_at(at)
    found = None
    for step in range(now, now - _STEPS_TAKEN, -1):
        if hmac.compare_digest(_code_of(member, step).encode(), digits.encode()):
            found = step
    return found


def _code_of(member: Member, step: int) -> str:
    told = f"{member.pk}:{member.number}:{step}"
    digest = salted_hmac(_PURPOSE, told, secret=settings.SECRET_KEY, algorithm="sha256").digest()
    return str(int.from_bytes(digest, "big") % 10**DIGITS).zfill(DIGITS)

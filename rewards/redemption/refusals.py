"""Why a redemption cannot make a move: codes for machines. Pure."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


class Refusal(StrEnum):
    """What stands in the way; the values are for machines and never change."""

    STATE = "state"
    NOT_PAID = "not_paid"
    HOLD_OVER = "hold_over"
    EXPIRED = "expired"
    NOT_YET_USABLE = "not_yet_usable"
    WRONG_STORE = "wrong_store"
    NO_CODE = "no_code"
    TOO_LATE = "too_late"
    MORE_THAN_HELD = "more_than_held"
    MORE_THAN_SPENT = "more_than_spent"
    NO_POINTS = "no_points"
    PARCEL_NOT_SENT = "parcel_not_sent"
    PARCEL_ON_ITS_WAY = "parcel_on_its_way"
    OWN_REDEMPTION = "own_redemption"


@dataclass(frozen=True)
class Refused:
    """One refusal with its figures, e.g. ``too_late`` with ``{"days": 30}``."""

    why: Refusal
    figures: dict[str, int | str | datetime] = field(default_factory=dict)

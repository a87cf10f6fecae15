"""Pictures of rewards: written anew by ``members.lib.pictures``, stored under random names."""

import secrets

from members.lib.pictures import LONGEST_SIDE, MAX_BYTES, Animated, NotAPicture, TooLarge, rewritten

__all__ = ["LONGEST_SIDE", "MAX_BYTES", "Animated", "NotAPicture", "TooLarge", "clean_name", "rewritten"]


def clean_name(_reward: object, _uploaded: str) -> str:
    """Return a random name for a stored picture; what the uploader called it is dropped."""
    return f"rewards/{secrets.token_hex(16)}.webp"

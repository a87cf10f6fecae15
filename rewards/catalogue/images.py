"""Pictures of rewards: written anew by ``members.lib.pictures``, stored under random names in several widths."""

import secrets
from pathlib import PurePosixPath
from typing import Any

from django.db import models
from django.db.models.fields.files import FieldFile

from members.lib.pictures import (
    LONGEST_SIDE,
    MAX_BYTES,
    Animated,
    NotAPicture,
    Rewritten,
    TooLarge,
    rewritten,
    rewritten_in_widths,
)

__all__ = [
    "LONGEST_SIDE",
    "MAX_BYTES",
    "WIDTHS",
    "Animated",
    "NotAPicture",
    "PictureField",
    "Rewritten",
    "TooLarge",
    "clean_name",
    "rewritten",
    "rewritten_in_widths",
    "stored_width",
    "width_name",
    "widths_of",
]

WIDTHS = (320, 640, 1280)


def clean_name(_reward: object, _uploaded: str) -> str:
    """Return a random name for a stored picture; what the uploader called it is dropped."""
    return f"rewards/{secrets.token_hex(16)}.webp"


def widths_of(full: int) -> list[int]:
    """Return the widths in which a picture is kept that is ``full`` pixels wide."""
    return [*(width for width in WIDTHS if width < full), full]


def width_name(name: str, width: int) -> str:
    """Return under which name a narrower copy of a stored picture lies."""
    path = PurePosixPath(name)
    return str(path.with_name(f"{path.stem}-{width}{path.suffix}"))


class PictureFile(FieldFile):
    """A stored picture, with its narrower copies beside it."""

    def save(self, name: str, content: Any, save: bool = True) -> None:
        """Store the picture, and the narrower copies that came with it."""
        super().save(name, content, save=save)
        for width, copy in getattr(content, "narrower", {}).items():
            self.storage.save(width_name(str(self.name), width), copy)


class PictureField(models.FileField):
    """A file field for pictures in several widths."""

    attr_class = PictureFile


def stored_width(picture: FieldFile, width: int) -> str:
    """Return the name of the copy of this width, or of the picture itself where there is none."""
    name = width_name(str(picture.name), width)
    return name if width in WIDTHS and picture.storage.exists(name) else str(picture.name)

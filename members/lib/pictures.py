"""Uploaded pictures: checked before they are decoded, and always written anew.

What people upload is never served: pixels are copied into a fresh WebP, so that metadata (places, names),
trailing data and anything a browser might run are left behind.
"""

import io
from typing import IO

from django.core.files.base import ContentFile
from PIL import Image, ImageOps

FORMATS = ("PNG", "JPEG", "WEBP")
MAX_BYTES = 5 * 1024 * 1024
MAX_PIXELS = 20_000_000
LONGEST_SIDE = 1600


class TooLarge(Exception):
    """The file has more bytes or pixels than allowed."""


class NotAPicture(Exception):
    """The file is no readable PNG, JPEG or WebP picture."""


class Animated(Exception):
    """The picture has more than one frame."""


def rewritten(file: IO[bytes], *, size: int) -> "ContentFile[bytes]":
    """Return the picture as a new WebP without metadata, at most 1600 pixels wide or high.

    ``size`` is the length in bytes. Raises TooLarge, NotAPicture or Animated; what the header tells is
    refused before any pixel is decoded.
    """
    if size > MAX_BYTES:
        raise TooLarge
    try:
        return _encoded(_opened(file))
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as problem:
        raise TooLarge from problem
    except (OSError, ValueError, SyntaxError) as problem:
        raise NotAPicture from problem


def _opened(file: IO[bytes]) -> Image.Image:
    image = Image.open(file, formats=FORMATS)
    if image.width * image.height > MAX_PIXELS:
        raise TooLarge
    if getattr(image, "n_frames", 1) > 1:
        raise Animated
    return image


def _encoded(image: Image.Image) -> "ContentFile[bytes]":
    # Cameras store the turn beside the pixels; it must be applied before it is dropped.
    upright = ImageOps.exif_transpose(image).convert("RGBA" if image.has_transparency_data else "RGB")
    upright.thumbnail((LONGEST_SIDE, LONGEST_SIDE))
    bare = Image.new(upright.mode, upright.size)
    bare.paste(upright)
    target = io.BytesIO()
    bare.save(target, format="WEBP", quality=85)
    return ContentFile(target.getvalue(), name="picture.webp")

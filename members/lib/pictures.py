"""Uploaded pictures: checked before they are decoded, and always written anew.

What people upload is never served: pixels are copied into a fresh WebP, so that metadata (places, names),
trailing data and anything a browser might run are left behind.
"""

import io
import struct
from collections.abc import Sequence
from typing import IO, TYPE_CHECKING

from django.core.files.base import ContentFile
from PIL import Image, ImageOps

# Django's class takes its type in brackets for the type checker alone.
if TYPE_CHECKING:
    _Bytes = ContentFile[bytes]
else:
    _Bytes = ContentFile

FORMATS = ("PNG", "JPEG", "WEBP")
MAX_BYTES = 5 * 1024 * 1024
MAX_PIXELS = 20_000_000
# The decoder of WebP holds a picture three times.
MAX_WEBP_PIXELS = 16_000_000
LONGEST_SIDE = 1280

# What the decoders raise on bytes that are not what they say; warnings where warnings are errors.
_UNREADABLE = (Warning, OSError, ValueError, SyntaxError, TypeError, LookupError, EOFError, struct.error)


class TooLarge(Exception):
    """The file has more bytes or pixels than allowed."""


class NotAPicture(Exception):
    """The file is no readable PNG, JPEG or WebP picture."""


class Animated(Exception):
    """The picture has more than one frame."""


class Rewritten(_Bytes):
    """A picture written anew, with its size in pixels and its narrower copies by width."""

    def __init__(self, image: Image.Image, narrower: "dict[int, ContentFile[bytes]] | None" = None) -> None:
        super().__init__(_as_webp(image), name="picture.webp")
        self.width, self.height = image.size
        self.narrower = narrower or {}


def rewritten(file: IO[bytes], *, size: int) -> Rewritten:
    """Return the picture as a new WebP without metadata, at most 1280 pixels wide or high.

    ``size`` is the length in bytes. Raises TooLarge, NotAPicture or Animated; what the header tells is
    refused before any pixel is decoded.
    """
    return rewritten_in_widths(file, size=size, widths=())


def rewritten_in_widths(file: IO[bytes], *, size: int, widths: Sequence[int]) -> Rewritten:
    """Return the picture as ``rewritten`` does, with a copy in each of the widths that are narrower than itself."""
    if size > MAX_BYTES:
        raise TooLarge
    try:
        bare = _bare(_opened(file))
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as problem:
        raise TooLarge from problem
    except _UNREADABLE as problem:
        raise NotAPicture from problem
    narrower = {width: Rewritten(_narrowed(bare, width)) for width in widths if width < bare.width}
    return Rewritten(bare, dict(narrower))


def _opened(file: IO[bytes]) -> Image.Image:
    image = Image.open(file, formats=FORMATS)
    if image.width * image.height > (MAX_WEBP_PIXELS if image.format == "WEBP" else MAX_PIXELS):
        raise TooLarge
    if getattr(image, "n_frames", 1) > 1:
        raise Animated
    return image


def _bare(image: Image.Image) -> Image.Image:
    """Return the pixels alone, upright, in RGB or RGBA.

    The full size exists once: it is made smaller first, and a JPEG is decoded no larger than needed.
    """
    turn = image.getexif().get(0x0112, 1)
    image.draft("RGB", (LONGEST_SIDE, LONGEST_SIDE))
    image.load()
    small = _smaller(image)
    bare = Image.new(small.mode, small.size)
    bare.paste(small)
    # Cameras store the turn beside the pixels; it must be applied before it is dropped.
    bare.getexif()[0x0112] = turn
    upright = ImageOps.exif_transpose(bare)
    upright.info.clear()
    return upright


def _smaller(image: Image.Image) -> Image.Image:
    mode = "RGBA" if image.has_transparency_data else "RGB"
    if image.mode.startswith("I"):
        # Sixteen bits of grey: the upper eight are what a screen shows.
        image = image.convert("I").point(lambda level: level / 256).convert("L")
    elif image.mode not in {"RGB", "RGBA", "L", "CMYK"}:
        image = image.convert(mode)
    image.thumbnail((LONGEST_SIDE, LONGEST_SIDE))
    return image.convert(mode)


def _narrowed(image: Image.Image, width: int) -> Image.Image:
    height = max(1, round(image.height * width / image.width))
    return image.resize((width, height), Image.Resampling.LANCZOS)


def _as_webp(image: Image.Image) -> bytes:
    target = io.BytesIO()
    image.save(target, format="WEBP", quality=82, exif=b"", icc_profile=b"", xmp=b"")
    return target.getvalue()

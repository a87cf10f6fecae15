"""Pictures: refused before they are decoded, or written anew without what came with them."""

import io
import struct
import zlib

import pytest
from PIL import Image

from rewards.catalogue.images import LONGEST_SIDE, MAX_BYTES, Animated, NotAPicture, TooLarge, rewritten


def encoded(image, kind, **options):
    """Return the bytes of an image."""
    target = io.BytesIO()
    image.save(target, format=kind, **options)
    return target.getvalue()


def rewrite(content):
    """Return the rewritten picture, opened."""
    return Image.open(io.BytesIO(rewritten(io.BytesIO(content), size=len(content)).read()))


def png_header_only(width, height):
    """Return a PNG of a few bytes that claims to be huge."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = [(b"IHDR", header), (b"IDAT", zlib.compress(b"\0" * 1000)), (b"IEND", b"")]
    body = b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data)) for name, data in chunks
    )
    return b"\x89PNG\r\n\x1a\n" + body


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_the_three_formats_become_webp(kind):
    picture = rewrite(encoded(Image.new("RGB", (40, 30), "red"), kind))
    assert (picture.format, picture.size) == ("WEBP", (40, 30))


@pytest.mark.parametrize("kind", ["GIF", "BMP", "TIFF", "PPM"])
def test_other_formats_are_refused(kind):
    with pytest.raises(NotAPicture):
        rewrite(encoded(Image.new("RGB", (4, 4)), kind))


@pytest.mark.parametrize("content", [b"", b"<svg xmlns='http://www.w3.org/2000/svg'/>", b"%!PS-Adobe", b"\x89PNG\r\n"])
def test_what_is_no_picture_is_refused(content):
    with pytest.raises(NotAPicture):
        rewrite(content)


def test_a_picture_cut_short_is_refused():
    whole = encoded(Image.effect_noise((200, 200), 50), "PNG")
    with pytest.raises(NotAPicture):
        rewrite(whole[: len(whole) // 2])


@pytest.mark.parametrize("size", [(5001, 4000), (20_000, 20_000), (60_000, 60_000)])
def test_a_decompression_bomb_is_refused_before_decoding(size):
    with pytest.raises(TooLarge):
        rewrite(png_header_only(*size))


def test_a_bomb_in_compressed_text_is_refused():
    text = zlib.compress(b"x" * 80_000_000)
    chunk = b"zTXt" + b"Comment\0\0" + text
    whole = encoded(Image.new("RGB", (4, 4)), "PNG")
    packed = struct.pack(">I", len(chunk) - 4) + chunk + struct.pack(">I", zlib.crc32(chunk))
    with pytest.raises(NotAPicture):
        rewrite(whole[:33] + packed + whole[33:])


def test_more_than_five_megabytes_are_refused_unread():
    with pytest.raises(TooLarge):
        rewritten(io.BytesIO(b""), size=MAX_BYTES + 1)


def test_a_moving_picture_is_refused():
    frames = [Image.new("RGB", (4, 4), colour) for colour in ("red", "blue")]
    for kind in ("PNG", "WEBP"):
        with pytest.raises(Animated):
            rewrite(encoded(frames[0], kind, save_all=True, append_images=frames[1:]))


def test_metadata_is_dropped():
    exif = Image.Exif()
    exif[0x010E] = "taken at home"
    content = encoded(Image.new("RGB", (4, 4)), "JPEG", exif=exif, comment=b"secret")
    rewritten_bytes = rewritten(io.BytesIO(content), size=len(content)).read()
    picture = Image.open(io.BytesIO(rewritten_bytes))
    assert not picture.getexif()
    assert set(picture.info) <= {"loop", "background", "timestamp", "duration"}
    assert b"home" not in rewritten_bytes
    assert b"secret" not in rewritten_bytes


def test_bytes_behind_the_picture_are_dropped():
    content = encoded(Image.new("RGB", (4, 4)), "JPEG") + b"<script>alert(1)</script>"
    assert b"script" not in rewritten(io.BytesIO(content), size=len(content)).read()


def test_the_turn_of_the_camera_is_applied():
    exif = Image.Exif()
    exif[0x0112] = 6
    assert rewrite(encoded(Image.new("RGB", (40, 30)), "JPEG", exif=exif)).size == (30, 40)


def test_a_large_picture_is_made_smaller():
    assert max(rewrite(encoded(Image.new("RGB", (4000, 2000)), "JPEG")).size) == LONGEST_SIDE


def test_transparency_stays():
    assert rewrite(encoded(Image.new("RGBA", (4, 4), (0, 0, 0, 0)), "PNG")).mode == "RGBA"

"""Hostile uploads: refused or cleaned, in a process of their own whose time and memory are measured."""

import io
import json
import random
import struct
import subprocess
import sys
import zipfile
import zlib
from pathlib import Path

import pytest
from PIL import Image

from members.lib.pictures import Animated, NotAPicture, TooLarge, rewritten

ROOT = Path(__file__).resolve().parents[3]
SECONDS, MEGABYTES = 2.0, 300

CHILD = """
import json, resource, sys
from members.lib import pictures
path, widths = sys.argv[1], (320, 640)
try:
    with open(path, "rb") as file:
        size = file.seek(0, 2)
        file.seek(0)
        before = resource.getrusage(resource.RUSAGE_SELF)
        made = pictures.rewritten_in_widths(file, size=size, widths=widths)
        answer = [made.width, made.height, sorted(made.narrower)]
        with open(path + ".out", "wb") as out:
            out.write(made.read())
except (pictures.TooLarge, pictures.NotAPicture, pictures.Animated) as refusal:
    answer = type(refusal).__name__
used = resource.getrusage(resource.RUSAGE_SELF)
# Not ru_maxrss: that begins with what the parent had.
with open("/proc/self/status") as status:
    peak = next(int(line.split()[1]) for line in status if line.startswith("VmHWM"))
cpu = used.ru_utime + used.ru_stime - before.ru_utime - before.ru_stime
print(json.dumps({"answer": answer, "seconds": cpu, "megabytes": peak / 1024}))
"""


def encoded(image, kind, **options):
    """Return the bytes of an image."""
    target = io.BytesIO()
    image.save(target, format=kind, **options)
    return target.getvalue()


def zipped():
    """Return a ZIP archive with a page in it."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        archive.writestr("index.html", "<script>alert(1)</script>")
    return target.getvalue()


def png(width, height, depth, colour, line):
    """Return a PNG whose every line is the same packed bytes."""
    packer, packed = zlib.compressobj(9), b""
    for _line in range(height):
        packed += packer.compress(b"\0" + line)
    packed += packer.flush()
    chunks = [
        (b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)),
        (b"IDAT", packed),
        (b"IEND", b""),
    ]
    body = b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data)) for name, data in chunks
    )
    return b"\x89PNG\r\n\x1a\n" + body


def with_place(kind):
    """Return a picture that says where it was taken."""
    exif = Image.Exif()
    exif[0x8825] = {1: "N", 2: (24.0, 9.0, 0.0), 3: "E", 4: (120.0, 40.0, 0.0)}
    exif[0x010F] = "SECRETCAM"
    return encoded(Image.new("RGB", (60, 40), "teal"), kind, exif=exif)


def moving(kind, frames=3):
    """Return a picture with frames."""
    pictures = [Image.new("RGB", (16, 16), (10 * number, 0, 0)) for number in range(frames)]
    return encoded(pictures[0], kind, save_all=True, append_images=pictures[1:])


NOISE = Image.effect_noise((900, 600), 60)
LARGE = Image.radial_gradient("L").resize((5000, 4000))
REFUSED = {
    "144 megapixels in 17 kB": (lambda: png(12_000, 12_000, 1, 0, b"\0" * 1500), "TooLarge"),
    "one line too many": (lambda: png(5000, 4001, 1, 0, b"\0" * 625), "TooLarge"),
    "20 megapixels of WebP": (lambda: encoded(LARGE.convert("RGB"), "WEBP", method=0), "TooLarge"),
    "GIF that is a script": (lambda: b"GIF89a/*\x01\x00\x01\x00*/=1;alert(1)//", "NotAPicture"),
    "moving GIF": (lambda: moving("GIF"), "NotAPicture"),
    "GIF with 2000 frames": (lambda: moving("GIF", 2000), "NotAPicture"),
    "moving PNG": (lambda: moving("PNG"), "Animated"),
    "moving WebP": (lambda: moving("WEBP"), "Animated"),
    "SVG": (lambda: b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>", "NotAPicture"),
    "SVG behind a PNG's signature": (lambda: b"\x89PNG\r\n\x1a\n<svg onload='alert(1)'/>", "NotAPicture"),
    "TIFF": (lambda: encoded(NOISE, "TIFF"), "NotAPicture"),
    "EPS": (lambda: b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "NotAPicture"),
    "ZIP": (zipped, "NotAPicture"),
    "JPEG cut short": (lambda: encoded(NOISE, "JPEG")[:9000], "NotAPicture"),
    "PNG cut short": (lambda: encoded(NOISE, "PNG")[:9000], "NotAPicture"),
    "WebP cut short": (lambda: encoded(NOISE, "WEBP")[:9000], "NotAPicture"),
}
CLEANED = {
    "20 megapixels of PNG": lambda: encoded(LARGE.convert("RGB"), "PNG", compress_level=1),
    "20 megapixels with transparency": lambda: encoded(LARGE.convert("LA"), "PNG", compress_level=1),
    "20 megapixels of JPEG": lambda: encoded(LARGE.convert("RGB"), "JPEG"),
    "16 megapixels of WebP": lambda: encoded(LARGE.resize((4000, 4000)).convert("RGB"), "WEBP", method=0),
    "a ribbon of 65,000 pixels": lambda: png(65_000, 300, 1, 0, b"\0" * 8125),
    "JPEG with a ZIP behind": lambda: encoded(NOISE, "JPEG") + zipped(),
    "PNG with a page behind": lambda: encoded(NOISE, "PNG") + b"<html><script>alert(1)</script>",
    "JPEG with a place": lambda: with_place("JPEG"),
    "PNG with a place": lambda: with_place("PNG"),
    "WebP with a place": lambda: with_place("WEBP"),
    "CMYK": lambda: encoded(Image.new("CMYK", (300, 200), (0, 200, 200, 0)), "JPEG"),
    "palette": lambda: encoded(NOISE.convert("RGB").quantize(16), "PNG"),
    "palette with transparency": lambda: encoded(NOISE.convert("RGB").quantize(16), "PNG", transparency=0),
    "one bit": lambda: encoded(NOISE.convert("1"), "PNG"),
    "sixteen bits of grey": lambda: png(400, 300, 16, 0, b"\x80\x00" * 400),
    "sixteen bits of colour": lambda: png(400, 300, 16, 2, b"\xff\xff\x00\x00\x00\x00" * 400),
}


def rewrite_in_a_process(tmp_path, content, name="upload.bin"):
    """Return what became of an upload, and what it cost; the picture is given back opened."""
    path = tmp_path / name
    path.write_bytes(content)
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", CHILD, str(path)], cwd=ROOT, capture_output=True, text=True, check=True
    )
    told = json.loads(done.stdout)
    assert told["seconds"] < SECONDS, told
    assert told["megabytes"] < MEGABYTES, told
    out = path.with_name(path.name + ".out")
    return told["answer"], out.read_bytes() if out.exists() else b""


@pytest.mark.parametrize("attack", REFUSED)
def test_an_attack_is_refused_cheaply(tmp_path, attack):
    make, expected = REFUSED[attack]
    assert rewrite_in_a_process(tmp_path, make()) == (expected, b"")


@pytest.mark.parametrize("upload", CLEANED)
def test_a_strange_picture_is_cleaned_cheaply(tmp_path, upload):
    answer, data = rewrite_in_a_process(tmp_path, CLEANED[upload]())
    assert isinstance(answer, list), answer
    picture = Image.open(io.BytesIO(data))
    assert (picture.format, list(picture.size)) == ("WEBP", answer[:2])
    assert max(picture.size) <= 1280
    assert not picture.getexif()
    assert not {"exif", "xmp", "icc_profile"} & picture.info.keys()
    assert not [word for word in (b"SECRETCAM", b"<script", b"PK\x03\x04", b"Exif", b"ICCP") if word in data]


def test_the_bomb_is_as_small_as_told():
    assert len(REFUSED["144 megapixels in 17 kB"][0]()) < 19_000


def test_the_name_of_an_upload_decides_nothing(tmp_path):
    for name in ("holiday.gif", "page.html", "shell.php"):
        answer, _data = rewrite_in_a_process(tmp_path, encoded(NOISE, "PNG"), name)
        assert answer == [900, 600, [320, 640]]
    assert rewrite_in_a_process(tmp_path, b"<svg/>", "photo.png")[0] == "NotAPicture"


@pytest.mark.parametrize(
    ("upload", "expected"),
    [("CMYK", (255, 55, 55)), ("sixteen bits of grey", (128,) * 3), ("sixteen bits of colour", (255, 0, 0))],
)
def test_colours_stay_what_they_were(upload, expected):
    content = CLEANED[upload]()
    picture = Image.open(io.BytesIO(rewritten(io.BytesIO(content), size=len(content)).read())).convert("RGB")
    assert max(abs(one - other) for one, other in zip(picture.getpixel((100, 100)), expected, strict=True)) < 12


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_broken_bytes_are_refused_or_read_and_nothing_else(kind):
    whole, chance = with_place(kind), random.Random(7)
    outcomes = set()
    for _round in range(300):
        broken = bytearray(whole)
        for _byte in range(chance.randint(1, 6)):
            broken[chance.randrange(len(broken))] = chance.randrange(256)
        try:
            rewritten(io.BytesIO(bytes(broken)), size=len(broken))
            outcomes.add("read")
        except (NotAPicture, TooLarge, Animated) as refusal:
            outcomes.add(type(refusal).__name__)
    assert "NotAPicture" in outcomes

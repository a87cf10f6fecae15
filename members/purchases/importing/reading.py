"""A purchase file as rows: unpacked, decoded and split with bounded memory, whatever stands in it."""

import csv
import gzip
import hashlib
import lzma
import zlib
from collections import deque
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from io import BufferedReader, TextIOWrapper
from pathlib import Path
from typing import IO, NamedTuple, cast

from django.utils.translation import gettext as _

from members.purchases.importing.parsing import Columns, MissingColumns, Reason, find_columns

LONGEST_CELL = 1_000_000
LONGEST_LINE = 1_000_000
# A quoted cell may hold line breaks, but a quotation mark that nobody closes must not swallow the file.
MOST_LINES_IN_ROW = 50
# UTF-8 proves itself. These accept nearly any bytes, so they count only where the text says so.
CHINESE = ("gb18030", "big5")

_PACKED_WRONGLY = (EOFError, lzma.LZMAError, gzip.BadGzipFile, zlib.error)


class UnreadableFile(Exception):
    """The file cannot be imported at all; the text says why."""


class Row(NamedTuple):
    """A row and the number of its first line; a row that could not be split has a reason instead of cells."""

    line: int
    cells: list[str]
    problem: Reason | None = None


@dataclass(frozen=True)
class Sheet:
    """How to read a file: its encoding and its columns."""

    path: Path
    encoding: str
    columns: Columns

    def rows(self) -> Iterator[Row]:
        """Yield the rows below the header; raises UnreadableFile when the file ends in its middle."""
        rows = rows_of(self.path, self.encoding)
        next(rows)
        return rows


def file_hash(path: Path) -> str:
    """Return the digest by which a file is known again; raises UnreadableFile."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as problem:
        raise UnreadableFile(
            _("%(file)s cannot be opened: %(why)s") % {"file": path.name, "why": problem.strerror or ""}
        ) from problem


def find_sheet(path: Path) -> Sheet:
    """Return the encoding and the columns of the file after reading all of it; raises UnreadableFile.

    Chinese encodings are taken when the header says so in Chinese, or when only one of them can be meant.
    """
    header = _header_if_decodable(path, "utf-8-sig")
    if header:
        return _sheet(path, "utf-8-sig", header)
    headers = {name: header for name in CHINESE if (header := _header_if_decodable(path, name))}
    speaking = [name for name, header in headers.items() if _says_its_encoding(header)]
    chosen = speaking if speaking else list(headers)
    if len(chosen) != 1:
        raise UnreadableFile(
            _("%(file)s is not UTF-8, and whether it is %(encodings)s cannot be told. Save it as UTF-8.")
            % {"file": path.name, "encodings": _(" or ").join(name.upper() for name in CHINESE)}
        )
    return _sheet(path, chosen[0], headers[chosen[0]])


def _sheet(path: Path, encoding: str, header: list[str]) -> Sheet:
    try:
        return Sheet(path, encoding, find_columns(header))
    except MissingColumns as missing:
        raise UnreadableFile(
            _("%(file)s lacks columns: %(columns)s. The first line must name them.")
            % {"file": path.name, "columns": ", ".join(missing.names)}
        ) from None


def _says_its_encoding(header: list[str]) -> bool:
    if "".join(header).isascii():
        return False
    try:
        find_columns(header)
    except MissingColumns:
        return False
    return True


def _header_if_decodable(path: Path, encoding: str) -> list[str] | None:
    """Return the cells of the first line (none for an empty file) when the whole file can be decoded."""
    with closing(_open_text(path, encoding)) as text:
        try:
            first = text.readline(LONGEST_LINE)
            while text.read(1 << 16):
                pass
        except UnicodeDecodeError:
            return None
        except (*_PACKED_WRONGLY, OSError) as problem:
            raise _broken(path) from problem
    csv.field_size_limit(LONGEST_CELL)
    return next(csv.reader([first]), []) or [""]


def _broken(path: Path) -> UnreadableFile:
    return UnreadableFile(
        _("%(file)s is damaged or ends in its middle: nothing of it was imported.") % {"file": path.name}
    )


def _open_text(path: Path, encoding: str) -> TextIOWrapper:
    with path.open("rb") as file:
        magic = file.read(6)
    if magic == b"\xfd7zXZ\0":
        packed: IO[bytes] = lzma.open(path)  # noqa: SIM115 - closed with the text that is made of it
    elif magic[:2] == b"\x1f\x8b":
        packed = cast(IO[bytes], gzip.open(path))  # noqa: SIM115
    else:
        packed = path.open("rb")
    # The cast is only about the stub's wish for a BufferedReader: the three behave alike.
    return TextIOWrapper(cast(BufferedReader, packed), encoding=encoding, newline="")


def rows_of(path: Path, encoding: str) -> Iterator[Row]:
    """Yield all rows, header included; a row that is too long is given up. Raises UnreadableFile."""
    try:
        with closing(_open_text(path, encoding)) as text:
            yield from _split(_Lines(text))
    except (*_PACKED_WRONGLY, OSError, UnicodeDecodeError) as problem:
        raise _broken(path) from problem


class _LineTooLong(Exception):
    """A line, or the lines of one row, passed the limit."""


class _Lines:
    """Physical lines for a csv reader, with the power to go back to the second line of a row that failed."""

    def __init__(self, text: TextIOWrapper) -> None:
        self._text = text
        self._again: deque[str] = deque()
        self.row: list[str] = []
        self.number = 0

    def __iter__(self) -> "_Lines":
        return self

    def __next__(self) -> str:
        line = self._again.popleft() if self._again else self._text.readline(LONGEST_LINE)
        if not line:
            raise StopIteration
        self.number += 1
        self.row.append(line)
        if len(line) >= LONGEST_LINE and not line.endswith("\n"):
            self._skip_rest()
            # Read again after a failed row it is a short line with too few cells.
            self.row[-1] = "…\n"
            raise _LineTooLong
        if len(self.row) > MOST_LINES_IN_ROW or sum(map(len, self.row)) > LONGEST_LINE:
            raise _LineTooLong
        return line

    def _skip_rest(self) -> None:
        while (part := self._text.readline(LONGEST_LINE)) and not part.endswith("\n"):
            pass

    def go_back(self) -> None:
        """Let the row be its first line alone: the others will be read again."""
        self.number -= len(self.row) - 1
        self._again.extendleft(reversed(self.row[1:]))


def _split(lines: _Lines) -> Iterator[Row]:
    csv.field_size_limit(LONGEST_CELL)
    reader = csv.reader(lines, strict=True)
    while True:
        first = lines.number + 1
        lines.row.clear()
        try:
            cells = next(reader)
        except StopIteration:
            return
        except (csv.Error, _LineTooLong) as problem:
            lines.go_back()
            reader = csv.reader(lines, strict=True)
            yield Row(first, [], Reason.TOO_LONG if isinstance(problem, _LineTooLong) else Reason.BAD_QUOTES)
            continue
        if cells:
            yield Row(first, cells)

"""Which files can be read, and how."""

import gzip
import lzma
from pathlib import Path

import pytest

from members.purchases.importing.reading import UnreadableFile, find_sheet
from tests.members.purchases.importing.files import HEADER, row, write_file

TRADITIONAL = "發票號碼,貨號,品名,數量,日期,單價,會員編號"
SIMPLIFIED = "发票号码,货号,品名,数量,日期,单价,会员编号"
CELLS = "1001,TEA,{},1,2011-06-01 10:00,10.00,501"


def descriptions(path: Path) -> list[str]:
    return [line.cells[2] for line in find_sheet(path).rows()]


def written(folder: Path, text: str, encoding: str) -> Path:
    path = folder / "file.csv"
    path.write_bytes(text.encode(encoding))
    return path


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "big5"])
def test_a_traditional_file_is_read_right(tmp_path, encoding):
    path = written(tmp_path, f"{TRADITIONAL}\n{CELLS.format('烏龍茶葉')}\n", encoding)
    assert descriptions(path) == ["烏龍茶葉"]


@pytest.mark.parametrize("encoding", ["utf-8", "gb18030"])
def test_a_simplified_file_is_read_right(tmp_path, encoding):
    path = written(tmp_path, f"{SIMPLIFIED}\n{CELLS.format('乌龙茶叶')}\n", encoding)
    assert descriptions(path) == ["乌龙茶叶"]


def test_chinese_bytes_below_an_english_header_that_fit_both_encodings_are_refused(tmp_path):
    path = written(tmp_path, f"{HEADER}\n{row(description='烏龍茶葉')}\n", "big5")
    with pytest.raises(UnreadableFile, match="GB18030 or BIG5"):
        find_sheet(path)


def test_missing_columns_are_named(tmp_path):
    with pytest.raises(UnreadableFile, match="UnitPrice, CustomerID"):
        find_sheet(write_file(tmp_path, header="InvoiceNo,StockCode,Quantity,InvoiceDate"))


@pytest.mark.parametrize("content", [b"", b"\xff\xfe\x00\x01", b"\x00\x01\x02", b"PK\x03\x04\x80\x81"])
def test_what_is_no_table_is_refused(tmp_path, content):
    path = tmp_path / "file.csv"
    path.write_bytes(content)
    with pytest.raises(UnreadableFile):
        find_sheet(path)


@pytest.mark.parametrize("compress", [gzip.compress, lzma.compress])
def test_packed_files_are_read_and_truncated_ones_refused(tmp_path, compress):
    packed = compress(write_file(tmp_path, *[row(str(number)) for number in range(500)]).read_bytes())
    whole, cut = tmp_path / "whole.csv", tmp_path / "cut.csv"
    whole.write_bytes(packed)
    cut.write_bytes(packed[:-30])
    assert len(descriptions(whole)) == 500
    with pytest.raises(UnreadableFile, match="ends in its middle"):
        find_sheet(cut)


def test_a_missing_file_is_refused(tmp_path):
    from members.purchases.importing.reading import file_hash

    with pytest.raises(UnreadableFile, match="cannot be opened"):
        file_hash(tmp_path / "nothing.csv")


def test_a_quotation_mark_that_nobody_closes_costs_one_row(tmp_path):
    rows = [row(str(number)) for number in range(200)]
    rows[3] = row("3", description='"open')
    lines = list(find_sheet(write_file(tmp_path, *rows)).rows())
    assert [line.line for line in lines if line.problem] == [5]
    assert len(lines) == 200
    assert lines[-1].line == 201


def test_a_quoted_cell_may_hold_a_line_break(tmp_path):
    path = write_file(tmp_path, row("1", description='"two\nlines"'), row("2"))
    assert [(line.line, line.cells[0]) for line in find_sheet(path).rows()] == [(2, "1"), (4, "2")]


def test_a_huge_cell_is_skipped_and_not_held_in_memory(tmp_path):
    path = tmp_path / "huge.csv"
    with path.open("w") as file:
        file.write(HEADER + "\n" + row("1") + "\n")
        for _part in range(50):
            file.write("x" * 1_000_000)
        file.write("\n" + row("2") + "\n")
    lines = list(find_sheet(path).rows())
    assert [(line.line, line.cells[:1], line.problem) for line in lines] == [
        (2, ["1"], None), (3, [], "too_long"), (4, ["2"], None),
    ]  # fmt: skip

"""One row of a purchase file: a line of a document, or the reason why not.

Pure: no file, no database, no clock.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from enum import StrEnum
from functools import lru_cache
from typing import NamedTuple

LARGEST_AMOUNT = 10**12
LARGEST_QUANTITY = 2**31 - 1
LONGEST = {"number": 60, "sku": 60, "customer": 80}
LONGEST_DESCRIPTION = 200
LONGEST_NUMERAL = 60
FIRST_YEAR, LAST_YEAR = 1970, 2099

_INTEGER = re.compile(r"[+-]?[0-9]+")
_DECIMAL = re.compile(r"[+-]?[0-9]+(\.[0-9]*)?|[+-]?\.[0-9]+")
_ONE = Decimal(1)
# Times, quantities and prices come again and again: so many of them are worked out once.
_TIMES_KEPT = 1_000
_FIGURES_KEPT = 20_000


class Reason(StrEnum):
    """Why something of the file was not recorded, or recorded without points."""

    WRONG_CELLS = "wrong_cells"
    TOO_LONG = "too_long"
    BAD_QUOTES = "bad_quotes"
    NUL_BYTE = "nul_byte"
    NO_NUMBER = "no_number"
    ADJUSTMENT = "adjustment_document"
    NO_ARTICLE = "no_article"
    BAD_DATE = "bad_date"
    BAD_QUANTITY = "bad_quantity"
    NEGATIVE_QUANTITY = "negative_quantity"
    POSITIVE_IN_RETURN = "positive_in_return"
    BAD_PRICE = "bad_price"
    NEGATIVE_PRICE = "negative_price"
    TOO_LARGE = "too_large"
    NO_CUSTOMER = "no_customer"
    OTHER_CUSTOMER = "other_customer"
    TOO_MANY_LINES = "too_many_lines"
    CONTENT_DIFFERS = "content_differs"
    NO_EARLIER_PURCHASE = "no_earlier_purchase"


class Rejected(Exception):
    """The row cannot be recorded; carries the reason and the cell at fault."""

    def __init__(self, reason: Reason, cell: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.cell = cell


@dataclass(frozen=True, slots=True)
class Columns:
    """At which place of a row each value stands; ``description`` may be missing."""

    number: int
    sku: int
    quantity: int
    at: int
    price: int
    customer: int
    description: int | None
    width: int


class Line(NamedTuple):
    """A good row; the amount is in minor units, ``at`` is wall-clock time as text that sorts."""

    number: str
    sku: str
    description: str
    quantity: int
    amount: int
    at: str
    customer: str
    rounding: Decimal


def is_return(number: str) -> bool:
    """Tell whether a document number is that of a return ("C…")."""
    return number[:1] in {"C", "c"}


def parse_row(cells: Sequence[str], columns: Columns, minor_units: int, *, keep_unmatched: bool = False) -> Line:
    """Return the line that the row holds; ``minor_units`` are the currency's decimals. Raises Rejected.

    With ``keep_unmatched`` a purchase may name no customer: its ``customer`` is empty.
    """
    if len(cells) != columns.width:
        raise Rejected(Reason.WRONG_CELLS, str(len(cells)))
    if "\0" in "".join(cells):
        raise Rejected(Reason.NUL_BYTE)
    # First, because such rows are set aside whatever else they hold: sales to people who are not members.
    nobody = keep_unmatched and not cells[columns.customer].strip() and not is_return(cells[columns.number].strip())
    customer = "" if nobody else _text(cells[columns.customer], "customer", Reason.NO_CUSTOMER)
    number = _document_number(cells[columns.number])
    at = _wall_clock(cells[columns.at])
    quantity = _quantity(cells[columns.quantity], returned=is_return(number))
    amount, rounding = _amount(cells[columns.price], quantity, minor_units)
    return Line(
        number=number,
        sku=_text(cells[columns.sku], "sku", Reason.NO_ARTICLE),
        description=cells[columns.description].strip()[:LONGEST_DESCRIPTION] if columns.description is not None else "",
        quantity=quantity,
        amount=amount,
        at=at,
        customer=customer,
        rounding=rounding,
    )


def number_in(cells: Sequence[str], columns: Columns) -> str:
    """Return the document number of a rejected row as far as it has one, short enough for a report."""
    return cells[columns.number].strip()[:60] if len(cells) > columns.number else ""


def _text(cell: str, name: str, when_empty: Reason) -> str:
    text = cell.strip()
    if not text:
        raise Rejected(when_empty)
    if len(text) > LONGEST[name]:
        raise Rejected(Reason.TOO_LONG, text[: LONGEST[name]])
    return text


def _document_number(cell: str) -> str:
    number = _text(cell, "number", Reason.NO_NUMBER)
    if number[0] in "Aa":
        raise Rejected(Reason.ADJUSTMENT, number)
    return number


@lru_cache(_TIMES_KEPT)
def _wall_clock(cell: str) -> str:
    try:
        at = datetime.fromisoformat(cell.strip())
    except ValueError:
        raise Rejected(Reason.BAD_DATE, cell[:40]) from None
    if at.tzinfo is not None or not FIRST_YEAR <= at.year <= LAST_YEAR:
        raise Rejected(Reason.BAD_DATE, cell[:40])
    return at.isoformat(" ", "seconds")


@lru_cache(_TIMES_KEPT)
def _quantity(cell: str, *, returned: bool) -> int:
    text = cell.strip()
    if len(text) > LONGEST_NUMERAL or not _INTEGER.fullmatch(text) or int(text) == 0:
        raise Rejected(Reason.BAD_QUANTITY, text[:40])
    quantity = int(text)
    if abs(quantity) > LARGEST_QUANTITY:
        raise Rejected(Reason.TOO_LARGE, text)
    if returned and quantity > 0:
        raise Rejected(Reason.POSITIVE_IN_RETURN, text)
    if not returned and quantity < 0:
        raise Rejected(Reason.NEGATIVE_QUANTITY, text)
    return abs(quantity)


@lru_cache(_FIGURES_KEPT)
def _amount(cell: str, quantity: int, minor_units: int) -> tuple[int, Decimal]:
    """Return quantity times price in minor units, half up, and what the rounding added."""
    text = cell.strip()
    if len(text) > LONGEST_NUMERAL or not _DECIMAL.fullmatch(text):
        raise Rejected(Reason.BAD_PRICE, text[:40])
    price = Decimal(text)
    if price < 0:
        raise Rejected(Reason.NEGATIVE_PRICE, text)
    exact = (price * quantity).scaleb(minor_units)
    if exact > LARGEST_AMOUNT:
        raise Rejected(Reason.TOO_LARGE, text)
    amount = exact.quantize(_ONE, ROUND_HALF_UP)
    return int(amount), amount - exact


# How the columns may be called; compared without case, blanks and underscores.
NAMES: Mapping[str, frozenset[str]] = {
    "number": frozenset({"invoiceno", "invoice", "number", "發票號碼", "发票号码", "單號", "单号"}),
    "sku": frozenset({"stockcode", "sku", "貨號", "货号"}),
    "quantity": frozenset({"quantity", "數量", "数量"}),
    "at": frozenset({"invoicedate", "purchasedat", "日期", "交易時間", "交易时间"}),
    "price": frozenset({"unitprice", "price", "單價", "单价"}),
    "customer": frozenset({"customerid", "customer", "會員編號", "会员编号", "客戶編號", "客户编号"}),
    "description": frozenset({"description", "品名", "說明", "说明"}),
}
SHOWN_NAMES = {
    "number": "InvoiceNo",
    "sku": "StockCode",
    "quantity": "Quantity",
    "at": "InvoiceDate",
    "price": "UnitPrice",
    "customer": "CustomerID",
}


class MissingColumns(Exception):
    """The header lacks columns; carries their names."""

    def __init__(self, names: Sequence[str]) -> None:
        super().__init__(", ".join(names))
        self.names = list(names)


def find_columns(header: Sequence[str]) -> Columns:
    """Return where each column stands; raises MissingColumns."""
    folded = ["".join(name.casefold().replace("_", " ").split()) for name in header]
    places = {
        name: next((place for place, title in enumerate(folded) if title in known), None)
        for name, known in NAMES.items()
    }
    missing = [shown for name, shown in SHOWN_NAMES.items() if places[name] is None]
    if missing:
        raise MissingColumns(missing)
    return Columns(width=len(header), **places)  # type: ignore[arg-type]  # what may be None was looked for above

"""The report of an import: one line for everything that was not recorded, or recorded without points."""

import csv
from collections.abc import Iterable
from pathlib import Path

from django.utils.translation import gettext as _

from members.purchases.importing.parsing import LARGEST_AMOUNT, Reason
from members.purchases.importing.spool import Problem

HEADER = ("line", "invoice", "reason", "text")
# A spreadsheet would run a cell that begins like this.
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


def write_report(path: Path, problems: Iterable[Problem]) -> None:
    """Write the problems as UTF-8 CSV that a spreadsheet can open without running anything in it."""
    texts = reason_texts()
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(HEADER)
        for problem in problems:
            text = texts[problem.reason] + (f" ({problem.cell})" if problem.cell else "")
            writer.writerow([problem.line, harmless(problem.number), problem.reason, harmless(text)])


def harmless(cell: str) -> str:
    """Return the cell as text that no spreadsheet takes for a formula."""
    clean = cell.replace("\0", "�")
    return f"'{clean}" if clean.startswith(_FORMULA_STARTS) else clean


def reason_texts() -> dict[Reason, str]:
    """Return what each reason means, in the active language."""
    return {
        Reason.WRONG_CELLS: _("The row has another number of cells than the header."),
        Reason.TOO_LONG: _("A cell or the row is too long."),
        Reason.BAD_QUOTES: _("A quotation mark is not closed, or text follows it."),
        Reason.NUL_BYTE: _("A cell holds a NUL character."),
        Reason.NO_NUMBER: _("The document number is missing."),
        Reason.ADJUSTMENT: _("An accounting document (A…) is neither a purchase nor a return."),
        Reason.NO_ARTICLE: _("The article is missing."),
        Reason.BAD_DATE: _("This date or time does not exist."),
        Reason.BAD_QUANTITY: _("The quantity is not a whole number other than zero."),
        Reason.NEGATIVE_QUANTITY: _("A negative quantity stands outside a return."),
        Reason.POSITIVE_IN_RETURN: _("A positive quantity stands in a return."),
        Reason.BAD_PRICE: _("The price is not a number."),
        Reason.NEGATIVE_PRICE: _("The price is negative."),
        Reason.TOO_LARGE: _("The amount is above %(limit)d or the quantity is too large.") % {"limit": LARGEST_AMOUNT},
        Reason.NO_CUSTOMER: _("The row names no member."),
        Reason.OTHER_CUSTOMER: _("Another line of this document names another member."),
        Reason.TOO_MANY_LINES: _("The document has too many lines."),
        Reason.CONTENT_DIFFERS: _("A document of this number is known with other content."),
        Reason.NO_EARLIER_PURCHASE: _("No earlier purchase has this article left to return; recorded without points."),
    }

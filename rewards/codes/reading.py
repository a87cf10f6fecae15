"""Codes out of a text that staff send: one a line, or a CSV file with or without a line of headings. Pure."""

import csv

HEADINGS = {"code", "codes", "coupon", "coupon code", "voucher", "voucher code", "兑换码", "优惠码", "兌換碼", "優惠碼"}
_SEPARATORS = ",;\t"


def codes_in(text: str) -> list[str]:
    """Return what stands for a code in each line, in order: the column with a known heading, else the first one.

    Empty lines are left out; whether each is a code is not decided here.
    """
    lines = [line for line in text.lstrip("\ufeff").splitlines() if line.strip()]
    if not lines:
        return []
    separator = next((symbol for symbol in _SEPARATORS if symbol in lines[0]), None)
    rows = list(csv.reader(lines, delimiter=separator)) if separator else [[line] for line in lines]
    headings = [cell.strip().casefold() for cell in rows[0]]
    place = next((place for place, heading in enumerate(headings) if heading in HEADINGS), None)
    if place is None:
        return [row[0] if row else "" for row in rows]
    return [row[place] if place < len(row) else "" for row in rows[1:]]

"""Uniform invoices of Taiwan: numbers, periods, tax numbers, carriers, QR codes."""

from datetime import date

import pytest

from members.lib.invoices import (
    NotAnInvoice,
    Receipt,
    invoice_number,
    invoice_period,
    is_carrier,
    is_tax_id,
    receipt_of_qr,
)


@pytest.mark.parametrize("typed", ["AB12345678", "ab-12345678", " AB 1234 5678 "])
def test_an_invoice_number_is_stored_in_one_way(typed):
    assert invoice_number(typed) == "AB12345678"


@pytest.mark.parametrize("typed", ["", "A123456789", "AB1234567", "AB123456789", "12345678AB"])
def test_what_is_no_invoice_number_is_refused(typed):
    with pytest.raises(NotAnInvoice):
        invoice_number(typed)


@pytest.mark.parametrize(
    ("day", "period"),
    [
        (date(2026, 11, 1), "115年11-12月"),
        (date(2026, 12, 31), "115年11-12月"),
        (date(2027, 1, 1), "116年01-02月"),
        (date(2026, 2, 28), "115年01-02月"),
        (date(2026, 3, 1), "115年03-04月"),
    ],
)
def test_the_period_is_two_months_that_begin_with_an_odd_one(day, period):
    assert invoice_period(day) == period


# 0×1 4×2 5×1 9×2 5×1 2×2 5×4 7×1: 0+8+5+9+5+4+2+7 = 40. A seventh digit of 7 leaves two ways.
@pytest.mark.parametrize("number", ["04595257", "10458575", "00000000", "10458570"])
def test_a_tax_number_adds_up(number):
    assert is_tax_id(number)


@pytest.mark.parametrize("number", ["04595258", "12345678", "0459525", "0459525A", ""])
def test_a_tax_number_that_does_not_add_up_is_refused(number):
    assert not is_tax_id(number)


def test_a_carrier_is_a_slash_and_seven_signs():
    assert is_carrier("/AB12+-.")
    assert not any(is_carrier(text) for text in ("AB12+-.", "/ab12345", "/AB1234", "/AB123456"))


def test_the_qr_code_of_an_invoice_is_its_receipt():
    code = "AB12345678" + "1151102" + "9876" + f"{1905:08x}" + f"{2000:08X}" + "00000000" + "04595257" + "more=="
    assert receipt_of_qr(code) == Receipt("AB12345678", date(2026, 11, 2), "TWD", 2000)


@pytest.mark.parametrize("text", ["", "hello", "AB123456781159902" + "0" * 40])
def test_another_code_is_no_receipt(text):
    assert receipt_of_qr(text) is None

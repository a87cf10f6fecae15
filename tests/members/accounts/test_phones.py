"""However a number is typed, it is one number."""

import pytest

from members.accounts.phones import NotAPhone, to_e164


@pytest.mark.parametrize(
    ("typed", "region", "stored"),
    [
        ("0912 345 678", "TW", "+886912345678"),
        ("0912-345-678", "TW", "+886912345678"),
        ("886-912-345-678", "TW", "+886912345678"),
        ("０９１２３４５６７８", "TW", "+886912345678"),
        ("+886912345678", "GB", "+886912345678"),
        ("+886 0912 345 678", "GB", "+886912345678"),
        ("07400 123456", "GB", "+447400123456"),
        ("0044 7400 123456", "GB", "+447400123456"),
    ],
)
def test_a_number_has_one_form_however_it_is_typed(typed: str, region: str, stored: str):
    assert to_e164(typed, region=region) == stored


@pytest.mark.parametrize(
    "typed",
    ["", "abc", "+1", "12", "07400 123456 x5", "+9999999999999", "0" * 41, "07400\x00123456789012", "👍"],
)
def test_what_cannot_be_called_is_refused(typed: str):
    with pytest.raises(NotAPhone):
        to_e164(typed, region="GB")


def test_a_national_number_is_one_of_the_settings_region(settings):
    settings.PHONE_REGION = "TW"

    assert to_e164("0912345678") == "+886912345678"

"""Whether two addresses mean one mailbox."""

import pytest

from campaigns.referral.identity import normalised_email


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("ada@example.com", " Ada@EXAMPLE.com "),
        ("ada@example.com", "ada+shop@example.com"),
        ("ada.lace@gmail.com", "adalace@googlemail.com"),
        ("a.d.a@gmail.com", "ada+x.y@gmail.com"),
    ],
)
def test_one_mailbox(one: str, other: str) -> None:
    assert normalised_email(one) == normalised_email(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [("a.da@example.com", "ada@example.com"), ("ada@example.com", "ada@example.org"), ("ada@x.com", "bob@x.com")],
)
def test_two_mailboxes(one: str, other: str) -> None:
    assert normalised_email(one) != normalised_email(other)

"""The page "Forgot your card?", and the barcode of electronic invoices."""

import io
from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from PIL import Image

from members.accounts.access import MemberNotFound, find_member
from members.accounts.models import Person
from members.lib.clock import database_now
from members.lib.periods import local_day
from members.programme.models import Programme
from members.purchases.models import ReceiptClaim
from members.purchases.unclaimed import keep_unmatched
from tests.factories import draft_purchase, make_member, make_rule, make_user, set_programme

pytestmark = [pytest.mark.django_db, pytest.mark.ledger_alone]


class Nobody:
    """Who a purchase without member is for."""

    pk = 0


@pytest.fixture
def member(client):
    make_rule()
    member = make_member(user=make_user(), name="Mei Lin")
    client.force_login(member.user)
    return member


def bought():
    return database_now() - timedelta(days=1)


def keep(amount=1999, **fields):
    keep_unmatched(drafts=[draft_purchase(Nobody(), amount, number="R-1", purchased_at=bought(), **fields)])


def send(client, **said):
    day = local_day(bought(), Programme.current().tz).isoformat()
    return client.post("/forgotten/", {"number": "R-1", "day": day, "amount": "19.99"} | said, follow=True)


def photo():
    file = io.BytesIO()
    Image.new("RGB", (40, 30), "white").save(file, "JPEG", exif=b"Exif\x00\x00secret place")
    return SimpleUploadedFile("receipt.jpg", file.getvalue(), content_type="image/jpeg")


def test_a_receipt_that_is_known_brings_its_points_at_once(client, member):
    keep()
    text = send(client).content.decode()
    assert "Found! 19 points are yours." in text
    assert "+19" in text


def test_an_unknown_receipt_waits_with_its_photo_written_anew(client, member):
    text = send(client, picture=photo()).content.decode()
    assert "We have not found it yet." in text
    assert "We are looking for it" in text
    picture = bytes(ReceiptClaim.objects.get().picture)
    assert picture[8:12] == b"WEBP"
    assert b"secret" not in picture


def test_a_file_that_is_no_picture_is_refused(client, member):
    response = send(client, picture=SimpleUploadedFile("x.jpg", b"<script>", content_type="image/jpeg"))
    assert response.status_code == 422
    assert "This is not a readable PNG, JPEG or WebP picture." in response.content.decode()
    assert not ReceiptClaim.objects.exists()


def test_the_code_of_an_invoice_says_it_all(client, member):
    set_programme(zone="Asia/Taipei", currency="TWD")
    keep(2000, currency="TWD", invoice="AB12345678")
    day = local_day(bought(), Programme.current().tz)
    code = f"AB12345678{day.year - 1911:03d}{day:%m%d}9876{1905:08x}{2000:08x}0000000004595257more"
    assert "Found!" in send(client, number=code, day="", amount="").content.decode()


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ({"day": ""}, "It stands on the receipt."),
        ({"amount": "19.999"}, "no more than 2 decimal places"),
        ({"number": "X" * 61}, "A receipt number has at most 60 characters."),
        ({"day": "2020-01-01"}, "A purchase can be added for 30 days."),
    ],
)
def test_what_cannot_be_claimed_is_told_in_words(client, member, said, words):
    response = send(client, **said)
    assert response.status_code == 422
    assert words in response.content.decode()


def test_the_second_card_and_the_second_time_are_told(client, member):
    keep()
    send(client)
    assert "You have added this receipt before." in send(client).content.decode()
    other = make_member(user=make_user())
    client.force_login(other.user)
    text = send(client).content.decode()
    assert "This receipt has already been used for another card." in text


def test_enough_for_a_day_is_told(client, member):
    set_programme(claims_per_day=1)
    send(client, number="A")
    assert "That was enough for today." in send(client, number="B").content.decode()


def test_the_page_is_for_members_and_found_from_the_account(client, member):
    assert "/forgotten/" in client.get("/more/").content.decode()
    client.logout()
    assert client.get("/forgotten/").status_code == 302


def test_a_carrier_is_shown_on_the_card_and_finds_it_only_with_consent(client, member):
    client.post("/profile/", {"save": "carrier", "carrier": "/abc12+-"})
    assert "/ABC12+-" in client.get("/card/").content.decode()
    with pytest.raises(MemberNotFound):
        find_member("/ABC12+-")
    client.post("/profile/", {"save": "carrier", "carrier": "/ABC12+-", "may_find_card": "on"})
    assert find_member("/ABC12+-") == member
    client.post("/profile/", {"save": "carrier", "carrier": "/ABC12+-"})
    with pytest.raises(MemberNotFound):
        find_member("/ABC12+-")


def test_one_carrier_finds_one_card_and_a_wrong_one_is_refused(client, member):
    Person.objects.filter(member=make_member()).update(carrier="/ABC1234", carrier_is_key_since=database_now())
    said = {"save": "carrier", "carrier": "/ABC1234", "may_find_card": "on"}
    assert "This barcode already finds another card." in client.post("/profile/", said).content.decode()
    wrong = client.post("/profile/", said | {"carrier": "ABC"}).content.decode()
    assert "This is not a mobile barcode" in wrong
    assert find_member("/ABC1234") != member


def test_what_is_missing_is_named_and_what_was_typed_stays(client, member):
    assert send(client, number="", day="", amount="").content.decode().count("It stands on the receipt.") == 3
    text = send(client, day="", amount="").content.decode()
    assert text.count("It stands on the receipt.") == 2
    assert 'value="R-1"' in text
    assert "(optional)" not in text[text.index('name="day"') - 300 : text.index('name="amount"')]


def test_an_amount_that_is_no_number_is_shown_how_to_be_written(client, member):
    text = send(client, amount="abc").content.decode()
    assert "Please write a number such as 12.50." in text
    assert 'value="abc"' in text

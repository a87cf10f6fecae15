"""Step 1: people join by e-mail or mobile, or claim the membership an import has made for them."""

from datetime import timedelta

import pytest
from django.utils import timezone

from members.accounts.models import Identity, Member, Person
from members.lib.codes import is_member_number
from tests.journeys.shop import new_address

pytestmark = [
    pytest.mark.postgres,
    pytest.mark.redis,
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
]

FILE = """InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country
500001,22423,CAKE STAND,2,2026-01-05 10:00:00,12.75,91001,United Kingdom
500002,22423,CAKE STAND,1,2026-01-06 10:00:00,12.75,91002,United Kingdom
"""


def test_a_visitor_joins_by_mail_and_password_and_gets_a_card(shop, visit):
    address = new_address("ada")
    visitor = visit()
    visitor.sign_up(address)
    number = visitor.card_number()
    member = Member.objects.get(number=number)
    assert is_member_number(number)
    assert (member.person.email, member.user.email) == (address, address)


def test_a_visitor_joins_by_mobile_and_code_and_gets_a_card(shop, visit):
    visitor = visit()
    visitor.sign_up_by_phone("+447911123456")
    member = Member.objects.get(number=visitor.card_number())
    assert (member.person.phone, member.person.email) == ("+447911123456", "")
    assert member.user.phone_verified


@pytest.fixture
def imported(shop, tmp_path):
    """Return two members that a file of purchases has brought, with an address and a number noted for them."""
    path = tmp_path / "purchases.csv"
    path.write_text(FILE)
    words = [
        "--source",
        "old-till",
        "--currency",
        "GBP",
        "--shift-to",
        f"{timezone.now() - timedelta(days=3):%Y-%m-%d}",
    ]
    done = shop.command("import_purchases", str(path), *words)
    assert done.returncode == 0, done.stderr
    ids = dict(Identity.objects.filter(source="old-till").values_list("value", "member_id"))
    address = new_address("bea")
    Person.objects.filter(member_id=ids["91001"]).update(email=address)
    Person.objects.filter(member_id=ids["91002"]).update(phone="+447911123457")
    return Member.objects.get(pk=ids["91001"]), Member.objects.get(pk=ids["91002"])


def test_imported_members_claim_their_points_by_a_confirmed_address_or_number(shop, visit, imported):
    by_mail, by_phone = imported
    count = Member.objects.count()
    visitor = visit()
    visitor.sign_up(by_mail.person.email)
    assert visitor.card_number() == by_mail.number
    visitor.open("/")
    assert "25" in visitor.page.locator(".hero__number").inner_text()

    other = visit()
    other.sign_up_by_phone("+447911123457")
    assert other.card_number() == by_phone.number
    assert Member.objects.count() == count

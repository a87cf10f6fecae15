"""Step 2: purchases arrive by file, on the pages of staff and over the API; each counts once."""

from datetime import timedelta

import pytest
from django.utils import timezone

from members.accounts.models import Identity
from members.ledger.models import PointsEntry
from members.ledger.statements import spendable_points
from members.lib.clock import database_now
from members.purchases.models import Purchase
from tests.factories import make_member
from tests.journeys.shop import purchase_body, staff_with_login

pytestmark = [
    pytest.mark.postgres,
    pytest.mark.redis,
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
]

FILE = """InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country
600001,22423,CAKE STAND,2,2026-02-05 10:00:00,12.75,92001,United Kingdom
600001,85123A,HEART HOLDER,6,2026-02-05 10:00:00,2.55,92001,United Kingdom
600002,22423,CAKE STAND,1,2026-02-06 10:00:00,12.75,,United Kingdom
C600003,22423,CAKE STAND,-1,2026-02-07 10:00:00,12.75,92001,United Kingdom
"""


def points_of(member_id: int) -> int:
    """Return what the member can spend now."""
    return spendable_points(member_id, database_now())


def test_a_file_is_imported_once_with_its_returns_and_rejects(shop, tmp_path):
    path, report = tmp_path / "sales.csv", tmp_path / "rejects.csv"
    path.write_text(FILE)
    words = ["import_purchases", str(path), "--source", "web", "--currency", "GBP", "--report", str(report)]
    words += ["--shift-to", f"{timezone.now() - timedelta(days=3):%Y-%m-%d}"]
    first = shop.command(*words)
    assert first.returncode == 0, first.stderr
    assert "no_customer: 1" in first.stdout
    assert "no_customer" in report.read_text()
    member_id = Identity.objects.get(source="web", value="92001").member_id
    # 40.80 earned 40. The returned 12.75 take back their share, 12.5, and the half goes with them.
    assert points_of(member_id) == 27
    assert shop.command(*words).returncode == 0
    assert points_of(member_id) == 27


def test_staff_record_a_purchase_and_the_same_receipt_counts_once(shop, visit):
    member, staff = make_member(name="Ben Till"), visit()
    staff.sign_in_as_staff(staff_with_login())
    for _turn in range(2):
        staff.open(f"/admin/members/member/{member.pk}/purchase/")
        staff.page.fill("input[name=number]", "R-77")
        staff.page.fill("input[name=lines-0-sku]", "TEA")
        staff.page.fill("input[name=lines-0-quantity]", "1")
        staff.page.fill("input[name=lines-0-amount]", "19.99")
        staff.page.locator("#content-main form button, #content form [type=submit]").last.click()
        staff.page.wait_for_load_state()
    purchase = Purchase.objects.get(number="R-77")
    assert (purchase.member_id, purchase.amount) == (member.pk, 1999)
    assert points_of(member.pk) == 19


def test_the_api_answers_new_then_known_then_conflict(shop):
    member = make_member()
    body = purchase_body(member, 2550)
    new, known = shop.post(body), shop.post(body)
    assert (new.status, known.status) == (201, 200)
    assert new.body == known.body
    assert new.body["points"] == 25
    assert new.body["explanation"]
    other = shop.post({**body, "lines": [{"sku": "TEA", "quantity": 1, "amount": 9900}]})
    assert (other.status, other.body["code"]) == (409, "content_differs")
    assert PointsEntry.objects.filter(member=member).count() == 1

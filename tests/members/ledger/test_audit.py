"""The check of the books finds every kind of wrong row."""

import pytest
from django.core.management import call_command
from django.db import connection
from django.utils import timezone

from members.accounts.models import Member
from members.ledger import posting
from members.ledger.audit import find_problems
from members.ledger.models import LotUse, PointsAccount, PointsLot
from members.purchases.models import Purchase, PurchaseKey
from tests.factories import buy, make_member, make_rule

pytestmark = [pytest.mark.django_db, pytest.mark.wrong_books]


@pytest.fixture
def books():
    make_rule()
    member = make_member(points=50)
    buy(member)
    assert find_problems() == []
    return member


def kinds():
    return {problem.split(":")[0] for problem in find_problems()}


def test_a_balance_that_differs_from_its_entries_is_found(books):
    PointsAccount.objects.filter(point_type="SPENDABLE").update(balance=70)
    assert {"balance", "programme"} <= kinds()


def test_a_lot_that_differs_from_its_uses_is_found(books):
    PointsLot.objects.filter(granted=50).update(remaining=49)
    assert {"lots", "balance"} <= kinds()


def test_a_debit_that_used_other_lots_than_it_says_is_found(books):
    posting.spend(member_id=books.pk, points=10, key="s", reason="test")
    LotUse.objects.all().delete()
    assert "debits" in kinds()


def test_a_missing_lot_is_found(books):
    PointsLot.objects.filter(granted=50).delete()
    assert "credits" in kinds()


def test_a_debt_beside_a_filled_lot_is_found(books):
    PointsAccount.objects.filter(point_type="SPENDABLE").update(debt=5)
    assert "debt" in kinds()


def test_a_document_without_key_is_found(books):
    PurchaseKey.objects.all().delete()
    assert "documents" in kinds()


def test_a_purchase_without_entry_is_found(books):
    purchase = Purchase.objects.get()
    purchase.pk, purchase.number = None, "other"
    purchase.save()
    assert {"purchases", "documents"} <= kinds()


def test_a_missing_guard_is_found(books):
    drop = "DROP TRIGGER members_pointsentry_no_update"
    with connection.cursor() as cursor:
        cursor.execute(f"{drop} ON members_pointsentry" if connection.vendor == "postgresql" else drop)
    assert "guards" in kinds()


def test_a_purchase_that_differs_from_its_lines_is_found(books):
    Purchase.objects.update(amount=1)
    assert "purchase amounts" in kinds()


def test_a_member_without_account_is_found(books):
    Member.objects.create(source="test", joined_at=timezone.now())
    assert "accounts" in kinds()


def test_the_command_exits_with_1_and_names_the_row(books, capsys):
    PointsAccount.objects.filter(point_type="SPENDABLE").update(balance=70)
    with pytest.raises(SystemExit) as exit_:
        call_command("audit")
    assert exit_.value.code == 1
    assert "balance 70" in capsys.readouterr().out


def test_the_command_says_that_all_is_well(books, capsys):
    call_command("audit")
    assert "The books are right" in capsys.readouterr().out

"""The check of the books finds every kind of wrong row."""

import pytest
from django.core.management import call_command
from django.db import DatabaseError, connection, transaction
from django.utils import timezone

from members.accounts.models import Member
from members.ledger import holds, posting, transfers
from members.ledger.audit import find_problems
from members.ledger.models import LotChange, LotUse, PointsAccount, PointsLot
from members.lib.guards import lifted
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


@pytest.fixture
def movements(books):
    """Books with a hold that was captured in part, an open hold, a refund, a transfer and an activated lot."""
    held = holds.hold(member_id=books.pk, points=20, key="h1", reason="test")
    entry = holds.capture(hold_id=held.pk, points=12, reason="test")
    posting.refund_spend(entry_id=entry.pk, key="r", reason="test", points=5)
    holds.hold(member_id=books.pk, points=7, key="h2", reason="test")
    other = make_member()
    transfers.transfer(from_member_id=books.pk, to_member_id=other.pk, points=9, key="t", reason="test")
    above = ("redeem entries", "refund entries")
    assert find_problems(leave_out=above) == []
    return books


@pytest.mark.parametrize(
    ("broken", "found"),
    [
        ("UPDATE members_hold SET points = 8 WHERE state = 'HELD'", {"holds", "programme"}),
        ("UPDATE members_hold SET captured = 11 WHERE state = 'CAPTURED'", {"holds"}),
        ("UPDATE members_hold SET state = 'RELEASED', settled_at = held_at WHERE state = 'HELD'", {"holds"}),
        ("UPDATE members_hold SET state = 'EXPIRED' WHERE state = 'CAPTURED'", {"holds"}),
        ("UPDATE members_hold SET capture_entry_id = NULL", {"holds"}),
        ("DELETE FROM members_hold WHERE state = 'HELD'", {"holds"}),
        ("UPDATE members_pointsentry SET related_id = NULL WHERE kind = 'CAPTURE'", {"holds"}),
        ("UPDATE members_pointsentry SET related_id = NULL WHERE kind = 'TRANSFER'", {"transfers"}),
        (
            "UPDATE members_pointsentry SET points = 8 WHERE kind = 'TRANSFER' AND points = 9",
            {"transfers", "programme"},
        ),
        ("UPDATE members_pointsentry SET points = 4 WHERE kind = 'REFUND'", {"credits", "balance"}),
        ("DELETE FROM members_lotuse WHERE points < 0 AND points > -8", {"credits", "lots"}),
        ("UPDATE members_lotuse SET points = points - 8 WHERE points IN (-5)", {"given back", "credits"}),
        ("UPDATE members_pointslot SET granted = granted + 1 WHERE moved_from_id IS NOT NULL", {"credits", "lots"}),
    ],
)
def test_a_broken_movement_is_found(movements, broken, found):
    execute("members_pointsentry", broken)
    assert found <= kinds()


def execute(table, statement):
    """Run a statement that the guards of a table would refuse."""
    with transaction.atomic(), lifted(table), connection.cursor() as cursor:
        cursor.execute(statement)


def test_a_taking_back_that_says_a_wrong_debt_is_found(books):
    posting.take_back(member_id=books.pk, points=10, key="t", reason="test")
    execute(
        "members_pointsentry", "UPDATE members_pointsentry SET breakdown = '{\"debt\": 3}' WHERE kind = 'TAKE_BACK'"
    )
    assert "debits" in kinds()


def changed_lot(**dates):
    lot = PointsLot.objects.get(granted=50)
    old = {"old_available_from": lot.available_from, "old_expires_at": lot.expires_at}
    new = {"new_available_from": lot.available_from, "new_expires_at": lot.expires_at}
    at = {"at": timezone.now(), "recorded_at": timezone.now()}
    LotChange.objects.create(lot=lot, member=lot.member, why="EXTENDED", **(at | old | new | dates))
    return lot


def test_a_change_of_a_lot_that_was_not_made_is_found(books):
    changed_lot(new_expires_at=timezone.now())
    assert "changes of lots" in kinds()


def test_a_change_that_does_not_begin_where_the_one_before_ended_is_found(books):
    changed_lot()
    assert find_problems() == []
    changed_lot(old_expires_at=timezone.now())
    assert "changes of lots" in kinds()


def test_a_change_of_a_lot_is_never_changed(books):
    changed_lot()
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        LotChange.objects.update(why="NOTICED")

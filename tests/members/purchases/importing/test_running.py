"""What an import does with good and bad rows."""

import csv
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from django.core.management import call_command

from members.accounts.models import Member
from members.events.models import Event
from members.ledger.models import PointsAccount, PointsEntry
from members.purchases.importing.running import OtherOptions
from members.purchases.models import Purchase, PurchaseImport, PurchaseLine, Return, ReturnLine
from tests.factories import make_rule, make_tiers, set_programme
from tests.members.purchases.importing.files import row, run, write_file

pytestmark = pytest.mark.django_db


def reasons(outcome) -> dict[str, int]:
    return outcome.counts.problems


def test_lines_of_one_invoice_are_one_purchase_dated_by_its_earliest_line(tmp_path):
    path = write_file(
        tmp_path,
        row("1", "TEA", 2, "2011-06-01 10:05:00", "2.50"),
        row("2", "MUG", 1, "2011-06-02 10:00:00", "4.00"),
        row("1", "JAR", 1, "2011-06-01 10:03:00", "1.25"),
    )
    run(path)
    purchase = Purchase.objects.get(number="1")
    assert purchase.amount == 625
    assert purchase.purchased_at == datetime(2011, 6, 1, 9, 3, tzinfo=UTC)  # British Summer Time
    assert [line.sku for line in purchase.lines.order_by("pk")] == ["TEA", "JAR"]


def test_unknown_customers_become_members_without_login_who_joined_with_their_first_purchase(tmp_path):
    path = write_file(tmp_path, row("2", at="2011-07-01 10:00:00"), row("1", at="2011-06-01 10:00:00"))
    outcome = run(path)
    member = Member.objects.get()
    assert outcome.counts.members == 1
    assert member.user is None
    assert member.joined_at == datetime(2011, 6, 1, 9, 0, tzinfo=UTC)


def test_identical_lines_and_zero_prices_are_kept(tmp_path):
    make_rule()
    run(write_file(tmp_path, row("1"), row("1"), row("2", price="0")))
    assert PurchaseLine.objects.count() == 3
    assert PointsEntry.objects.get(key="purchase:shop:2").points == 0


def test_amounts_are_exact_and_rounded_half_up_once_a_line(tmp_path):
    outcome = run(write_file(tmp_path, row("1", quantity=3, price="0.001"), row("1", quantity=5, price="0.001")))
    assert Purchase.objects.get().amount == 1  # 0.3 and 0.5 pence are 0 and 1
    assert Decimal(outcome.counts.rounding) == Decimal("0.2")


def test_a_return_goes_to_the_latest_earlier_purchase_and_takes_its_points(tmp_path):
    make_rule()
    set_programme(expiry_policy="NEVER")
    path = write_file(
        tmp_path,
        row("C9", quantity=-3, at="2011-06-05 10:00:00"),
        row("1", quantity=2, at="2011-06-01 10:00:00"),
        row("2", quantity=2, at="2011-06-02 10:00:00"),
        row("3", quantity=9, at="2011-06-06 10:00:00"),
    )
    run(path)
    matched = ReturnLine.objects.order_by("pk").values_list("purchase_line__purchase__number", "quantity")
    assert list(matched) == [("2", 2), ("1", 1)]
    assert PointsAccount.objects.get(point_type="SPENDABLE").balance == 130 - 30
    assert Return.objects.get().amount == 3000


def test_a_returned_line_without_purchase_is_recorded_without_points_and_listed(tmp_path):
    report = tmp_path / "report.csv"
    outcome = run(write_file(tmp_path, row("C9", quantity=-3)), report=report)
    assert reasons(outcome) == {"no_earlier_purchase": 1}
    assert ReturnLine.objects.get().purchase_line is None
    assert read(report) == [["2", "C9", "no_earlier_purchase"]]


def read(report: Path) -> list[list[str]]:
    with report.open(encoding="utf-8-sig", newline="") as file:
        return [line[:3] for line in csv.reader(file)][1:]


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (row("9", customer=""), "no_customer"),
        (row("A9"), "adjustment_document"),
        (row(""), "no_number"),
        (row("9", sku=""), "no_article"),
        (row("9", sku="X" * 61), "too_long"),
        (row("9", price="-1"), "negative_price"),
        (row("9", price="nan"), "bad_price"),
        (row("9", price="inf"), "bad_price"),
        (row("9", price="1e9"), "bad_price"),
        (row("9", price="10000000000.01"), "too_large"),
        (row("9", price="9" * 80), "bad_price"),
        (row("9", quantity=-1), "negative_quantity"),
        (row("9", quantity=0), "bad_quantity"),
        (row("9", quantity="1.5"), "bad_quantity"),
        (row("9", quantity="99999999999", price="0"), "too_large"),
        (row("C9", quantity=1), "positive_in_return"),
        (row("9", at="2011-02-30 10:00:00"), "bad_date"),
        (row("9", at="0001-01-01 10:00:00"), "bad_date"),
        (row("9", at="2011-02-03 10:00:00+09:00"), "bad_date"),
        (row("9") + ",more", "wrong_cells"),
        ("9,TEA", "wrong_cells"),
        (row("9", description="a\0b"), "nul_byte"),
        (row("9", description="x" * 2_000_000), "too_long"),
        (row("9", description='"never closed'), "bad_quotes"),
    ],
)
def test_a_bad_row_is_rejected_with_its_reason_and_the_others_are_imported(tmp_path, bad, reason):
    report = tmp_path / "report.csv"
    outcome = run(write_file(tmp_path, row("1"), bad, row("2")), report=report)
    assert reasons(outcome) == {reason: 1}
    assert read(report)[0][0] == "3"
    assert sorted(Purchase.objects.values_list("number", flat=True)) == ["1", "2"]


def test_a_line_of_another_customer_does_not_enter_the_purchase(tmp_path):
    outcome = run(write_file(tmp_path, row("1"), row("1", customer="502", price="99")))
    assert Purchase.objects.get().amount == 1000
    assert reasons(outcome) == {"other_customer": 1}


def test_the_same_file_twice_has_no_double_effect_and_the_same_report(tmp_path):
    make_rule()
    path = write_file(tmp_path, row("1"), row("C1", "JAR", -1), row("9", customer=""))
    first, second = tmp_path / "first.csv", tmp_path / "second.csv"
    counts = run(path, report=first).counts
    entries = PointsEntry.objects.count()
    again = run(path, report=second)
    assert again.was_done
    assert again.counts.known == 2
    assert first.read_bytes() == second.read_bytes()
    assert (PointsEntry.objects.count(), Purchase.objects.count(), Return.objects.count()) == (entries, 1, 1)
    assert run(path).counts == counts


def test_a_file_cut_in_the_middle_is_completed_by_the_whole_one(tmp_path):
    rows = [row(str(number), at=f"2011-06-{number:02d} 10:00:00") for number in range(1, 21)]
    whole = write_file(tmp_path, *rows)
    half = tmp_path / "half.csv"
    half.write_bytes(whole.read_bytes()[: len(whole.read_bytes()) // 2])
    assert reasons(run(half))["wrong_cells"] == 1
    run(whole)
    assert Purchase.objects.count() == 20


def test_a_number_known_with_other_content_is_listed_and_changes_nothing(tmp_path):
    run(write_file(tmp_path, row("1", price="5.00")))
    outcome = run(write_file(tmp_path, row("1", price="6.00"), name="other.csv"))
    assert reasons(outcome) == {"content_differs": 1}
    assert Purchase.objects.get().amount == 500


def test_a_file_that_was_imported_with_other_options_is_refused(tmp_path):
    path = write_file(tmp_path, row("1"))
    run(path)
    with pytest.raises(OtherOptions):
        run(path, shift_to=date(2026, 1, 1))


def test_a_shift_moves_the_last_purchase_to_the_day_and_keeps_wall_clock_times(tmp_path):
    path = write_file(
        tmp_path, row("1", at="2011-01-10 10:00:00"), row("2", at="2011-06-10 10:00:00"),
        row("C2", quantity=-1, at="2011-06-12 10:00:00"),
    )  # fmt: skip
    run(path, shift_to=date(2012, 6, 10))
    dates = dict(Purchase.objects.values_list("number", "purchased_at"))
    assert dates["2"] == datetime(2012, 6, 10, 9, 0, tzinfo=UTC)  # summer time
    assert dates["1"] == datetime(2012, 1, 11, 10, 0, tzinfo=UTC)  # 152 days earlier, in winter
    assert Return.objects.get().returned_at == datetime(2012, 6, 12, 9, 0, tzinfo=UTC)


def test_a_dry_run_prints_the_same_counts_and_writes_nothing(tmp_path):
    path = write_file(
        tmp_path, row("1", quantity=2), row("C8", quantity=-1, at="2011-06-02 10:00:00"),
        row("C9", quantity=-5, at="2011-06-03 10:00:00"), row("3", customer=""), row("4", customer="777"),
    )  # fmt: skip
    dry_report, report = tmp_path / "dry.csv", tmp_path / "real.csv"
    dry = run(path, dry_run=True, report=dry_report)
    assert (Member.objects.count(), Purchase.objects.count(), PurchaseImport.objects.count()) == (0, 0, 0)
    assert dry.counts == run(path, report=report).counts
    assert dry_report.read_bytes() == report.read_bytes()


def test_points_that_are_past_their_end_expire_at_once_and_are_counted(tmp_path):
    make_rule()
    set_programme(expiry_months=12)
    outcome = run(write_file(tmp_path, row("1", price="50.00")))
    assert outcome.expired == 50
    assert PointsAccount.objects.get(point_type="SPENDABLE").balance == 0


def test_the_imported_past_is_marked_so_that_nobody_is_told(tmp_path):
    make_rule()
    make_tiers(thresholds=(0, 10))
    path = write_file(tmp_path, row("1", price="50.00"), row("C2", quantity=-1, at="2011-06-03 10:00:00"))
    run(path, shift_to=datetime.now(UTC).date())
    kinds = {"member.joined", "purchase.recorded", "purchase.returned", "tier.changed"}
    assert set(Event.objects.filter(kind__in=kinds, backfilled=False).values_list("kind", flat=True)) == set()
    assert Event.objects.filter(kind="purchase.recorded").exists()


def test_a_document_with_too_many_lines_is_rejected_as_a_whole(tmp_path, monkeypatch):
    monkeypatch.setattr("members.purchases.importing.running.MOST_LINES_IN_DOCUMENT", 2)
    outcome = run(write_file(tmp_path, *[row("1")] * 3, row("2")))
    assert reasons(outcome) == {"too_many_lines": 1}
    assert Purchase.objects.get().number == "2"


def test_late_purchases_of_a_file_earn_nothing_and_are_counted_unless_they_shall_earn(tmp_path):
    """R63: the setting decides, the switch of the import goes before it."""
    make_rule()
    set_programme(expiry_policy="NEVER", oldest_purchase_days=30)
    path = write_file(tmp_path, row("1"), row("2", customer="502"))
    assert run(path, dry_run=True).counts.late == 2
    assert run(path).counts.late == 2
    assert PointsAccount.objects.filter(balance__gt=0).count() == 0
    assert run(path, source="other", late_too=True).counts.late == 0
    assert PointsAccount.objects.filter(balance=10).count() == 2
    with pytest.raises(OtherOptions):
        run(path, late_too=True)


def test_the_command_prints_how_many_purchases_came_too_late(tmp_path, capsys):
    make_rule()
    set_programme(expiry_policy="NEVER", oldest_purchase_days=30)
    path = str(write_file(tmp_path, row("1")))
    call_command("import_purchases", path, source="shop", currency="GBP")
    assert "too late and earned nothing: 1" in capsys.readouterr().out
    call_command("import_purchases", path, "--late-too", source="other", currency="GBP")
    assert "too late" not in capsys.readouterr().out

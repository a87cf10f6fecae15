"""Purchases of a file that name no customer: rejected, or kept to be claimed when that is wanted."""

import pytest

from members.accounts.models import Member
from members.purchases.models import Purchase, UnclaimedPurchase
from tests.factories import make_rule
from tests.members.purchases.importing.files import row, run, write_file

pytestmark = pytest.mark.django_db


@pytest.fixture
def path(tmp_path):
    make_rule()
    return write_file(
        tmp_path,
        row("1", customer="501"),
        row("2", customer=""),
        row("2", "MUG", customer=" "),
        row("C3", quantity=-1, customer=""),
    )


def test_without_the_option_rows_without_customer_are_rejected(path):
    outcome = run(path)
    assert outcome.counts.problems == {"no_customer": 3}
    assert not UnclaimedPurchase.objects.exists()


def test_with_the_option_purchases_without_customer_are_kept_once_and_returns_are_rejected(path):
    rehearsal = run(path, keep_unmatched=True, dry_run=True).counts
    first = run(path, keep_unmatched=True)
    assert (first.counts.purchases, first.counts.kept, first.counts.problems) == (1, 1, {"no_customer": 1})
    assert (rehearsal.purchases, rehearsal.kept, rehearsal.problems) == (1, 1, {"no_customer": 1})
    assert Member.objects.count() == Purchase.objects.count() == 1
    kept = UnclaimedPurchase.objects.get()
    assert (kept.number, kept.amount, len(kept.content["lines"])) == ("2", 2000, 2)
    assert run(path, keep_unmatched=True).was_done

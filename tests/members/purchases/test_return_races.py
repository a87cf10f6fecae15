"""Two tills at the same goods at once, on a real PostgreSQL, with a control that goes wrong without the lock."""

import time
from functools import partial

import pytest

from members.ledger import taking_back
from members.ledger.models import Counter, PointsAccount, PointsEntry
from members.purchases import returns
from members.purchases.drafts import DraftLine
from members.purchases.models import ReturnLine
from members.purchases.returns import RecordedReturn, record_return, record_returns
from tests.factories import make_member
from tests.harness.races import only, run_together
from tests.members.purchases.documents import draft_return, earned

pytestmark = [pytest.mark.postgres, pytest.mark.ledger_alone, pytest.mark.django_db(transaction=True)]

EIGHT = DraftLine("TEA", 8, 8000)


def returned_together(member):
    """Let twelve tills take back one of eight teas each; return how many teas went back to the purchase."""
    drafts = [draft_return(member, DraftLine("TEA", 1, 1000)) for _till in range(12)]
    run_together([partial(record_return, draft=draft) for draft in drafts])
    matched = ReturnLine.objects.filter(purchase_line__isnull=False)
    return sum(matched.values_list("quantity", flat=True))


def test_the_same_line_at_many_tills_goes_back_only_as_often_as_it_was_bought():
    member = make_member()
    earned(member, EIGHT, points=83, uses=[("cap", member.pk, "2026-06-01", 83)])
    assert returned_together(member) == 8
    assert PointsAccount.objects.get(member=member, point_type="SPENDABLE").balance == 0
    assert Counter.objects.get().used == 0


@pytest.mark.wrong_books
def test_the_race_sees_a_missing_lock(monkeypatch):
    def unlocked(member_ids):
        rows = taking_back.read_accounts(member_ids)
        time.sleep(0.05)
        return rows

    monkeypatch.setattr(returns, "lock_accounts", unlocked)
    member = make_member()
    earned(member, EIGHT, points=83)
    assert returned_together(member) > 8


def test_the_same_document_at_once_is_booked_once():
    member = make_member()
    earned(member, EIGHT, points=80)
    draft = draft_return(member, DraftLine("TEA", 1, 1000))
    answers = only(RecordedReturn, run_together([partial(record_return, draft=draft)] * 8))
    assert [answer.points_taken for answer in answers] == [10] * 8
    assert sum(answer.is_new for answer in answers) == 1
    assert PointsEntry.objects.filter(kind="RETURN").count() == 1


def test_batches_of_the_same_members_in_other_orders_all_come_through():
    people = [make_member() for _person in range(6)]
    for member in people:
        earned(member, EIGHT, points=80, uses=[("budget", 0, "2026-06-01", 80)])
    batches = [
        [draft_return(member, DraftLine("TEA", 1, 1000)) for member in order]
        for order in (people, people[::-1], people[3:] + people[:3], people[::2] + people[1::2])
    ]
    outcomes = run_together([partial(record_returns, drafts=batch) for batch in batches])
    assert [len(outcome) for outcome in only(list, outcomes)] == [6] * 4
    assert Counter.objects.get().used == 6 * 40
    assert set(PointsAccount.objects.filter(point_type="SPENDABLE").values_list("balance", flat=True)) == {40}

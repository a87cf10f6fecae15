"""Awards: one by one, in batches, repeated, with debts."""

import random
from dataclasses import replace
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from members.accounts.models import Member
from members.events.models import Event
from members.ledger import posting
from members.ledger.awarding import NoAccount
from members.ledger.models import PointsAccount, PointsEntry, PointsLot
from members.ledger.statements import balance_of
from members.purchases.drafts import DraftLine
from members.purchases.models import Purchase, PurchaseLine
from members.purchases.recording import ContentDiffers, record_purchase, record_purchases
from tests.factories import NOW, buy, draft_purchase, make_member, make_rule, set_programme

pytestmark = pytest.mark.django_db


def test_a_purchase_leaves_document_lines_entry_lot_and_event():
    make_rule()
    member = make_member()
    lines = (DraftLine("TEA", 2, 1500), DraftLine("CUP", 1, 499))
    recorded = record_purchase(draft=draft_purchase(member, lines=lines))
    assert recorded.points == 19
    assert Purchase.objects.get().amount == 1999
    assert list(PurchaseLine.objects.order_by("pk").values_list("sku", "quantity", "amount")) == [
        ("TEA", 2, 1500),
        ("CUP", 1, 499),
    ]
    assert PointsLot.objects.get(entry_id=recorded.entry_id).remaining == 19
    event = Event.objects.get(kind="purchase.recorded")
    assert (event.data["purchase"], event.data["points"], event.backfilled) == (
        recorded.purchase_id,
        19,
        False,
    )


def test_a_repeated_document_changes_nothing_and_answers_the_same():
    make_rule()
    draft = draft_purchase(make_member())
    first, second = record_purchase(draft=draft), record_purchase(draft=draft)
    assert (first.is_new, second.is_new) == (True, False)
    assert (second.purchase_id, second.points, second.explanation) == (
        first.purchase_id,
        first.points,
        first.explanation,
    )
    assert PointsEntry.objects.count() == 1


def test_a_known_number_with_other_content_is_refused():
    make_rule()
    draft = draft_purchase(make_member())
    record_purchase(draft=draft)
    with pytest.raises(ContentDiffers):
        record_purchase(draft=replace(draft, lines=(DraftLine("TEA", 1, 1),)))
    assert PointsEntry.objects.get().points == 19


def test_the_same_number_from_another_source_is_another_document():
    make_rule()
    member = make_member()
    buy(member, number="7", source="till-1")
    buy(member, number="7", source="till-2")
    assert balance_of(member.pk, NOW).spendable == 38


def test_of_two_drafts_with_one_number_in_a_batch_the_first_counts():
    make_rule()
    draft = draft_purchase(make_member())
    first, second = record_purchases(drafts=[draft, replace(draft, lines=(DraftLine("CUP", 1, 100),))])
    assert (first.is_new, first.differs, first.points) == (True, False, 19)
    assert (second.is_new, second.differs, second.points) == (False, True, 19)


def test_a_purchase_that_earns_nothing_keeps_its_reason_and_opens_no_lot():
    recorded = buy(make_member())
    assert recorded.points == 0
    assert recorded.explanation == ["No earning rule applied to this purchase."]
    assert not PointsLot.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_a_member_without_account_is_refused_and_nothing_is_written():
    make_rule()
    member = make_member()
    PointsAccount.objects.all().delete()
    with pytest.raises(NoAccount):
        buy(member)
    assert not Purchase.objects.exists()
    posting.open_accounts([member.pk])


def test_a_debt_is_paid_before_points_become_spendable():
    make_rule()
    set_programme(debt_policy="DEBT")
    member = make_member()
    posting.take_back(member_id=member.pk, points=30, key="tb", reason="test")
    draft = draft_purchase(member, amount=2000)
    record_purchases(drafts=[draft, replace(draft, number="second", purchased_at=NOW + timedelta(days=1))])
    balance = balance_of(member.pk, NOW + timedelta(days=2))
    assert (balance.spendable, balance.debt) == (10, 0)


@pytest.mark.postgres
def test_an_award_is_one_read_and_one_writing_statement():
    make_rule()
    draft = draft_purchase(make_member())
    record_purchase(draft=replace(draft, number="warm"))
    with CaptureQueriesContext(connection) as queries:
        record_purchase(draft=draft)
    # The text of a prepared statement is not in the log of the queries.
    statements = [query["sql"] for query in queries if "SAVEPOINT" not in (query["sql"] or "")]
    assert len(statements) == 2


@pytest.mark.parametrize("seed", range(5))
def test_a_batch_and_one_by_one_agree_on_random_purchases(seed):
    make_rule(steps="PROPORTIONAL", excluded_skus=["BAG"])
    set_programme(debt_policy="DEBT")
    chance = random.Random(seed)
    shared = [make_member() for _ in range(4)]
    twins = [make_member() for _ in range(4)]
    for pair in zip(shared, twins, strict=True):
        owed = chance.choice([0, 0, 25])
        for member in pair:
            if owed:
                posting.take_back(member_id=member.pk, points=owed, key=f"owe:{member.pk}", reason="test")
    drafts = [random_draft(chance, number) for number in range(30)]
    record_purchases(drafts=[replace(draft, member_id=shared[place].pk) for place, draft in drafts])
    for place, draft in drafts:
        record_purchase(draft=replace(draft, member_id=twins[place].pk, source="single"))
    assert [state(member) for member in shared] == [state(member) for member in twins]


def random_draft(chance, number):
    lines = tuple(
        DraftLine(chance.choice(["TEA", "CUP", "BAG"]), chance.randint(1, 5), chance.randint(0, 9999))
        for _ in range(chance.randint(1, 4))
    )
    nobody = Member(pk=0)
    draft = draft_purchase(nobody, number=str(number), lines=lines, purchased_at=NOW + timedelta(hours=number))
    return chance.randrange(4), draft


def state(member):
    account = PointsAccount.objects.get(point_type="SPENDABLE", member=member)
    lots = PointsLot.objects.filter(member=member).order_by("available_from")
    return account.balance, account.debt, list(lots.values_list("granted", "remaining", "expires_at"))


def test_points_of_an_imported_past_that_already_ended_cannot_be_spent():
    make_rule()
    member = make_member()
    buy(member, purchased_at=timezone.now() - timedelta(days=900), backfilled=True)
    assert balance_of(member.pk, timezone.now()).spendable == 0
    assert Event.objects.get(kind="purchase.recorded").backfilled

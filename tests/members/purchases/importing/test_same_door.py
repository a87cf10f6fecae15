"""What a file brings earns what the same purchases earn one by one at the till."""

import random
from datetime import UTC, datetime, timedelta

import pytest

from members.accounts.models import Identity
from members.events.models import Event
from members.ledger.models import Counter, PointsAccount, PointsEntry, PointsLot
from members.models import Standing, Tier
from members.purchases.drafts import DraftLine, PurchaseDraft, ReturnDraft
from members.purchases.importing.running import Outcome
from members.purchases.models import Purchase
from members.purchases.recording import record_purchase
from members.purchases.returns import record_returns
from tests.factories import make_cap, make_member, make_rule, make_tiers, set_programme
from tests.members.purchases.importing.files import row, run, write_file

CUSTOMERS = ("x", "y", "z", "new")
START = datetime(2012, 1, 1, 12, tzinfo=UTC)  # in winter London keeps UTC


def make_members(source):
    """Return members by customer: one is Gold from the second week on; "new" is nobody yet to the file."""
    members = {customer: make_member() for customer in CUSTOMERS}
    gold, blue = Tier.objects.get(code="gold"), Tier.objects.get(code="blue")
    later = START + timedelta(days=7)
    for customer, member in members.items():
        is_rising = customer == "y"
        Standing.objects.create(
            member=member, tier=blue, from_at=START, until_at=later if is_rising else None, why="JOINED"
        )
        if is_rising:
            Standing.objects.create(member=member, tier=gold, from_at=later, why="REACHED")
        if source == "shop" and customer != "new":
            Identity.objects.create(member=member, source=source, value=customer)
    return members


def bought(chance):
    """Return documents of a month as (number, customer, minutes after the start, lines of article, quantity, price)."""
    minutes = sorted(chance.sample(range(60 * 24 * 28), 60))
    return [
        (
            str(1000 + place),
            chance.choice(CUSTOMERS),
            minute,
            [
                (f"SKU{chance.randrange(4)}", chance.randrange(1, 4), chance.randrange(3000))
                for _ in range(1 + place % 3)
            ],
        )
        for place, minute in enumerate(minutes)
    ]


def drafted(lines):
    return tuple(DraftLine(sku, quantity, quantity * price, "", "Green tea") for sku, quantity, price in lines)


def write(tmp_path, documents, back) -> Outcome:
    """Import the documents from a file that holds them in no order; the lines of each keep theirs."""
    every = [(document, 1) for document in documents] + [(document, -1) for document in back]
    random.Random(1).shuffle(every)
    rows = [
        row(number, sku, sign * quantity, f"{START + timedelta(minutes=minute):%F %T}", f"{price / 100:.2f}", customer)
        for (number, customer, minute, lines), sign in every
        for sku, quantity, price in lines
    ]
    return run(write_file(tmp_path, *rows))


def told_of(entry):
    """Return the breakdown without what names the entry or the member."""
    told = {name: value for name, value in entry.breakdown.items() if name != "entry"}
    return told | {"uses": [use["points"] for use in told.get("uses", ())]}


def outcome_of(source):
    """Return what the documents of a source gave, by their numbers."""
    numbers = dict(Purchase.objects.filter(source=source).values_list("pk", "number"))
    entries = PointsEntry.objects.filter(purchase_id__in=numbers, kind="EARN")
    gave = {(numbers[e.purchase_id], e.point_type): e for e in entries}
    return {
        key: (
            entry.points,
            entry.occurred_at,
            told_of(entry),
            list(
                PointsLot.objects.filter(entry=entry)
                .order_by("pk")
                .values_list("granted", "remaining", "available_from", "expires_at", "notice_due")
            ),
        )
        for key, entry in gave.items()
    }


def record_one_by_one(documents, back):
    members = make_members("till")
    shared = {"source": "till", "currency": "GBP", "origin": "import", "backfilled": True}
    for number, customer, minute, lines in documents:
        at = START + timedelta(minutes=minute)
        who = {"number": number, "member_id": members[customer].pk, "lines": drafted(lines)}
        record_purchase(draft=PurchaseDraft(purchased_at=at, **who, **shared))
    for number, customer, minute, lines in back:
        at = START + timedelta(minutes=minute)
        who = {"number": number, "member_id": members[customer].pk, "lines": drafted(lines)}
        record_returns(drafts=[ReturnDraft(returned_at=at, **who, **shared)])
    return members


def balances(members):
    accounts = PointsAccount.objects.filter(member__in=members).order_by("member_id", "point_type")
    return list(accounts.values_list("point_type", "balance", "debt"))


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("cap", [None, {}, {"of_everybody": True, "limit": 400}])
@pytest.mark.parametrize("seed", [1, 2])
def test_a_file_gives_what_the_same_documents_give_one_by_one(tmp_path, seed, cap):
    set_programme(expiry_policy="NEVER")
    make_tiers()
    make_rule()
    make_rule(name_en="Weekend", kind="MULTIPLIER", multiplier=2, weekdays=[6, 7])
    make_rule(name_en="Status", point_type="STATUS", points=2)
    make_rule(name_en="Article", kind="ITEM", points=3, only_skus=["SKU1"], pending_days=14)
    if cap is not None:
        make_cap(**cap)
    documents = bought(random.Random(seed))
    back = [(f"C{number}", customer, 60 * 24 * 29, lines[:1]) for number, customer, _minute, lines in documents[::5]]
    till = record_one_by_one(documents, back)
    # What the till used up of the budget of all is not to be missing for the file.
    Counter.objects.filter(member_id=0).delete()
    shop = make_members("shop")
    assert write(tmp_path, documents, back).counts.purchases == len(documents)
    joined = Identity.objects.get(source="shop", value="new").member
    assert outcome_of("shop") == outcome_of("till")
    in_file = [joined if customer == "new" else shop[customer] for customer in CUSTOMERS]
    assert balances(in_file) == balances(list(till.values()))
    assert sum(balance for _type, balance, _debt in balances(in_file)) > 0
    assert set(Event.objects.filter(kind="purchase.recorded").values_list("backfilled", flat=True)) == {True}

"""The award for files writes the same rows as the award for tills, by a faster road on PostgreSQL."""

from datetime import timedelta

import msgspec
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from members.events.models import Event
from members.ledger import posting
from members.ledger.award_copy import award_purchases_of_file
from members.ledger.award_rows import Award, AwardLine, AwardLot, CounterKey, CounterUse
from members.ledger.awarding import NoAccount, award_purchases
from members.ledger.models import Counter, PointsAccount, PointsEntry, PointsLot
from members.purchases.models import Purchase, PurchaseKey, PurchaseLine
from tests.factories import NOW, make_member, make_store, set_programme

pytestmark = pytest.mark.django_db

ODD = 'tab\tline\nreturn\rback\\slash \\N \\. "quoted" 烏龍茶 \u00a0'


def award(member, number, points=19, **fields):
    """Return an award of one lot."""
    base = Award(
        source="shop",
        number=number,
        content_hash=f"{number:h<64}"[:64],
        member_id=member.pk,
        purchased_at=NOW,
        currency="GBP",
        amount=1999,
        origin="import",
        backfilled=True,
        lines=(AwardLine("TEA", 1, 1999, "tea", "Green tea"),),
        points=points,
        breakdown={"points": points, "left_out": []},
        lots=(AwardLot(points, NOW, NOW + timedelta(days=10)),) if points else (),
    )
    return msgspec.structs.replace(base, **fields)


def all_kinds(member, store, tag):
    """Return awards of every shape that an award can have without debt and caps."""
    waiting = AwardLot(20, None, None)
    told = AwardLot(30, NOW + timedelta(days=1), None, notice_due=True)
    many = (AwardLine(ODD, 2, 5, ODD, ODD, ODD, 1, 0), AwardLine("JAR", 1, 0), AwardLine("TEA", 1, 7))
    return [
        award(member, f"{tag}plain"),
        award(member, f"{tag}nothing", points=0),
        award(member, f"{tag}lots", points=50, lots=(waiting, told)),
        award(member, f"{tag}status", points=5, status_points=7),
        award(member, f"{tag}status only", points=0, status_points=3),
        award(
            member,
            f"{tag}{ODD}",
            amount=12,
            lines=many,
            breakdown={"names": {"en": ODD}, "left_out": [1], "sum": "57/2"},
        ),
        award(
            member,
            f"{tag}told",
            store_id=store.pk,
            shipping=1,
            points_paid=2,
            gift_card_paid=3,
            invoice="AB-12345678",
            buyer_tax_id="12345675",
            backfilled=False,
        ),
    ]


def rows_of(member):
    """Return everything stored of a member, without ids and times of recording."""
    purchases = Purchase.objects.filter(member=member).order_by("pk")
    entries = PointsEntry.objects.filter(member=member).order_by("point_type", "pk")
    lots = PointsLot.objects.filter(member=member).order_by("entry__point_type", "entry_id", "pk")
    events = Event.objects.filter(member=member, kind="purchase.recorded").order_by("pk")
    numbers = dict(purchases.values_list("pk", "number"))
    keys = {entry.pk: entry.key.split(":", 1)[1][5:] for entry in entries}

    def told(data):
        return data | {"purchase": numbers[data["purchase"]], "entry": keys[data["entry"]]}

    def plain(model, queryset, *without):
        names = [field.attname for field in model._meta.concrete_fields]
        return list(queryset.values(*[name for name in names if name not in {"id", "member_id", *without}]))

    return {
        "purchases": plain(Purchase, purchases, "recorded_at", "number"),
        "keys": sorted(
            (numbers[pk][1:], kind, content[1:])
            for kind, pk, content in PurchaseKey.objects.filter(document_id__in=numbers).values_list(
                "document", "document_id", "content_hash"
            )
        ),
        "lines": plain(PurchaseLine, PurchaseLine.objects.filter(member=member).order_by("pk"), "purchase_id"),
        "entries": [
            (keys[e.pk][1:], e.account.point_type, e.point_type, e.kind, e.contra, e.points, numbers[e.purchase_id][1:],
             e.reason, {k: v for k, v in e.breakdown.items() if k != "entry"}, e.occurred_at)
            for e in entries.select_related("account")
        ],
        "lots": [
            (keys[lot.entry_id][1:], lot.account.point_type, lot.granted, lot.remaining, lot.available_from,
             lot.expires_at, lot.notice_due, lot.has_own_end)
            for lot in lots.select_related("account")
        ],
        "events": [(told(e.data)["purchase"][1:], told(e.data)["entry"][1:], e.data["amount"], e.data["points"],
                    e.data["currency"], e.occurred_at, e.backfilled) for e in events],
        "accounts": list(PointsAccount.objects.filter(member=member).order_by("point_type").values_list(
            "point_type", "balance", "debt")),
    }  # fmt: skip


def test_every_row_is_the_one_that_a_till_writes():
    till, file, store = make_member(), make_member(), make_store()
    posted = award_purchases(all_kinds(till, store, "T"))
    copied = award_purchases_of_file(all_kinds(file, store, "F"), settle=unsettled)
    expected, written = rows_of(till), rows_of(file)
    for table, rows in expected.items():
        assert written[table] == rows, table
    assert [(p.points, p.is_new, p.breakdown) for p in copied] == [(p.points, p.is_new, p.breakdown) for p in posted]
    ids = dict(Purchase.objects.filter(member=file).values_list("number", "pk"))
    assert [p.purchase_id for p in copied] == [ids[each.number] for each in all_kinds(file, store, "F")]
    assert [PointsEntry.objects.get(pk=p.entry_id).purchase_id for p in copied] == [p.purchase_id for p in copied]


def unsettled(award, _used):
    raise AssertionError(award)


@pytest.mark.postgres
def test_a_status_entry_names_its_award():
    member = make_member()
    (posted,) = award_purchases_of_file([award(member, "1", status_points=4)], settle=unsettled)
    assert PointsEntry.objects.get(point_type="STATUS").breakdown == {"entry": posted.entry_id}


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_a_thousand_awards_take_as_many_statements_as_one():
    member = make_member()
    counts = []
    for size in (1, 1000):
        awards = [award(member, f"{size}-{place}") for place in range(size)]
        with CaptureQueriesContext(connection) as asked:
            award_purchases_of_file(awards, settle=unsettled)
        counts.append(len(asked))
    # The ids, BEGIN, the keys, the accounts, the time, five tables, the balances, COMMIT.
    assert counts == [12, 12]
    assert PointsAccount.objects.get(point_type="SPENDABLE").balance == 19 * 1001


def test_known_documents_stay_as_they_are_and_the_others_are_recorded():
    member = make_member()
    (first,) = award_purchases([award(member, "2")])
    answers = award_purchases_of_file([award(member, number) for number in ("1", "2", "3", "1")], settle=unsettled)
    assert [answer.is_new for answer in answers] == [True, False, True, False]
    assert answers[1].purchase_id == first.purchase_id
    assert PointsAccount.objects.get(point_type="SPENDABLE").balance == 3 * 19


def test_a_debt_is_paid_before_points_can_be_spent():
    set_programme(debt_policy="DEBT")
    debtor, other = make_member(), make_member()
    posting.take_back(member_id=debtor.pk, points=30, key="tb", reason="test")
    awards = [award(debtor, "1", 20), award(other, "2", 20), award(debtor, "3", 25)]
    award_purchases_of_file(awards, settle=unsettled)
    account = PointsAccount.objects.get(member=debtor, point_type="SPENDABLE")
    assert (account.balance, account.debt) == (15, 0)
    assert list(PointsLot.objects.filter(member=debtor).order_by("pk").values_list("remaining", flat=True)) == [0, 15]


def test_caps_decide_under_their_lock():
    member, cap = make_member(), CounterKey("cap", 0, "2026-06-01")

    def settle(award, used):
        points = min(award.points, 30 - used[cap])
        lots = (AwardLot(points, NOW, None),) if points else ()
        return msgspec.structs.replace(award, points=points, lots=lots, uses=(CounterUse(cap, points),))

    awards = [award(member, str(number), counters=(cap,)) for number in range(3)]
    assert [posted.points for posted in award_purchases_of_file(awards, settle=settle)] == [19, 11, 0]
    assert Counter.objects.get().used == 30


@pytest.mark.django_db(transaction=True)
def test_a_member_without_account_stops_the_batch_and_nothing_is_written():
    member = make_member()
    stranger = award(member, "2", member_id=member.pk + 1_000_000)
    with pytest.raises(NoAccount):
        award_purchases_of_file([award(member, "1"), stranger], settle=unsettled)
    assert not Purchase.objects.exists()
    assert not PurchaseKey.objects.exists()


def test_no_awards_are_no_work():
    assert award_purchases_of_file([], settle=unsettled) == []

"""Many returns at once do exactly what they do one by one, in a fixed number of statements."""

from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from members.ledger.models import Counter, LotUse, PointsAccount, PointsEntry, PointsLot
from members.purchases.drafts import DraftLine, Named, ReturnDraft
from members.purchases.models import Return, ReturnLine
from members.purchases.returns import record_return, record_returns
from tests.factories import NOW, give, make_member, set_programme
from tests.members.purchases.documents import draft_return, earned

pytestmark = [pytest.mark.django_db, pytest.mark.ledger_alone]

SKUS = st.sampled_from(["TEA", "MUG", "JAR"])
MEMBERS = st.integers(0, 2)
bought_lines = st.lists(
    st.builds(DraftLine, sku=SKUS, quantity=st.integers(1, 4), amount=st.integers(0, 900)), min_size=1, max_size=3
)
purchases = st.lists(
    st.tuples(MEMBERS, bought_lines, st.integers(0, 60), st.integers(0, 9), st.booleans(), st.booleans()), max_size=5
)
returns = st.lists(
    st.tuples(
        MEMBERS,
        bought_lines,
        # How many of the returns before it has the same number, with the same content.
        st.booleans(),
        st.integers(-2, 4),
        st.sampled_from(["FREE", "NAMED", "AMOUNT", "VOID"]),
    ),
    min_size=1,
    max_size=6,
)


class Undone(Exception):
    """Ends a transaction without effect."""


def shop(people, plan):
    """Record the purchases of the plan; return the member of each."""
    owners = []
    for place, (who, lines, points, status, capped, pending) in enumerate(plan):
        member = people[who]
        uses = [("cap", member.pk, "2026-06-01", points), ("budget", 0, "2026-06-01", points)] if capped else ()
        extra = {"line_points": [str(line.quantity) for line in lines]} if capped else {}
        earned(member, *lines, points=points, status=status, uses=uses, pending=pending, number=f"P{place}", **extra)
        owners.append(member)
    return owners


def drafts_of(people, owners, plan):
    drafts: list[ReturnDraft] = []
    for place, (who, lines, again, which, way) in enumerate(plan):
        if again and drafts:
            drafts.append(drafts[-1])
            continue
        fields: dict[str, object] = {"number": f"C{place}"}
        member, goods = people[who], tuple(lines)
        if way != "FREE" and owners:
            member = owners[which % len(owners)]
            fields["purchase"] = Named("shop", f"P{which % len(owners)}")
            if way != "NAMED":
                goods = ()
                fields |= {"kind": "VOID"} if way == "VOID" else {"kind": "ALLOWANCE", "amount": 100}
        drafts.append(draft_return(member, *goods, **fields))
    return drafts


def traces():
    """Return all that the returns left, without ids and clocks."""
    numbers = dict(Return.objects.values_list("pk", "number"))
    entries = [
        (numbers[entry.breakdown["return"]], entry.member_id, entry.point_type, entry.points, entry.purchase_id,
         {name: entry.breakdown.get(name) for name in ("asked", "shortfall", "debt", "uses")})
        for entry in PointsEntry.objects.filter(kind="RETURN").order_by("pk")
    ]  # fmt: skip
    lines = ReturnLine.objects.order_by("pk").values_list(
        "returned__number", "purchase_line", "sku", "quantity", "amount"
    )
    uses = LotUse.objects.filter(entry__kind="RETURN").order_by("lot", "points").values_list("lot", "points")
    return (
        entries,
        list(lines),
        sorted(uses),
        list(PointsLot.objects.order_by("pk").values_list("remaining", flat=True)),
        list(PointsAccount.objects.order_by("pk").values_list("balance", "debt")),
        list(Counter.objects.order_by("name", "member_id").values_list("used", flat=True)),
        list(Return.objects.order_by("number").values_list("number", "amount", "kind", "by_amount")),
    )


def outcome_of(record):
    """Run it, keep what it left, undo it."""
    kept = []
    try:
        with transaction.atomic():
            answers = record()
            kept += [
                [(answer.points_taken, answer.unmatched, answer.is_new, answer.differs) for answer in answers],
                traces(),
            ]
            raise Undone
    except Undone:
        return kept


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(bought=purchases, brought=returns, policy=st.sampled_from(["DEBT", "CLAMP"]))
def test_a_batch_of_returns_equals_the_same_returns_one_by_one(bought, brought, policy):
    try:
        with transaction.atomic():
            set_programme(debt_policy=policy)
            people = [make_member() for _person in range(3)]
            drafts = drafts_of(people, shop(people, bought), brought)
            single = outcome_of(lambda: [record_return(draft=draft) for draft in drafts])
            batch = outcome_of(lambda: record_returns(drafts=drafts))
            assert batch == single
            raise Undone
    except Undone:
        pass


def test_a_batch_takes_the_same_number_of_statements_however_many_returns_it_holds():
    statements = []
    for size in (2, 40):
        people = [make_member() for _person in range(size)]
        for member in people:
            give(member, 5, at=NOW)
            earned(member, points=15, status=3, uses=[("cap", member.pk, "2026-06-01", 15)])
        drafts = [draft_return(member) for member in people]
        with CaptureQueriesContext(connection) as seen:
            record_returns(drafts=drafts)
        statements.append(len(seen))
    # SQLite takes long lists in two parts.
    assert statements[0] <= statements[1] <= statements[0] + 2 <= 24


def test_a_known_number_with_other_content_is_marked_and_the_rest_is_recorded():
    member = make_member()
    earned(member, points=15)
    record_returns(drafts=[draft_return(member, number="C1")])
    known, other, fresh = record_returns(
        drafts=[
            draft_return(member, number="C1"),
            draft_return(member, number="C1", returned_at=NOW + timedelta(days=9)),
            draft_return(member, number="C2"),
        ]
    )
    assert (known.is_new, known.differs, known.points_taken) == (False, False, 5)
    assert (other.is_new, other.differs) == (False, True)
    assert (fresh.is_new, fresh.points_taken) == (True, 5)


def test_nothing_to_record_is_no_work(django_assert_num_queries):
    with django_assert_num_queries(0):
        assert record_returns(drafts=[]) == []

"""The books, proved from the rows: each check yields a sentence per wrong row."""

from collections.abc import Callable, Collection, Iterable, Iterator
from typing import Any

from django.db import connection, transaction

from members.events.rebasing import is_ahead
from members.lib.guards import missing_guards

Check = Callable[[], Iterable[str]]

_checks: dict[str, Check] = {}

# How many wrong rows of one check are told; the count of the rest follows.
_TOLD = 20


def check(name: str) -> Callable[[Check], Check]:
    """Register a check of the books; apps above the ledger add their own."""

    def register(function: Check) -> Check:
        _checks[name] = function
        return function

    return register


def find_problems(*, leave_out: Collection[str] = ()) -> list[str]:
    """Return what is wrong, one sentence each; an empty list means that the books are right."""
    problems = []
    for name, function in sorted(_checks.items()):
        if name in leave_out:
            continue
        found = list(function())
        problems += [f"{name}: {sentence}" for sentence in found[:_TOLD]]
        if len(found) > _TOLD:
            problems.append(f"{name}: and {len(found) - _TOLD} more")
    return problems


def find_problems_in_snapshot() -> list[str]:
    """Return what is wrong in one snapshot, so that work going on meanwhile cannot look like an error."""
    is_outermost = not connection.in_atomic_block
    with transaction.atomic():
        if is_outermost and connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        return find_problems()


def check_names() -> list[str]:
    """Return the names of all checks."""
    return sorted(_checks)


def rows(query: str) -> list[tuple[Any, ...]]:
    """Run a read-only query of a check."""
    with connection.cursor() as cursor:
        cursor.execute(query)
        found: list[tuple[Any, ...]] = cursor.fetchall()
    return found


@check("guards")
def _guards() -> Iterator[str]:
    for name in missing_guards():
        yield f"the guard {name} is missing"


@check("event positions")
def _positions() -> Iterator[str]:
    if is_ahead():
        yield "events carry positions of another server; run rebase_events before the workers read them"


@check("accounts")
def _accounts() -> Iterator[str]:
    query = """
        SELECT m.id, count(a.id) FROM members_member m LEFT JOIN members_pointsaccount a ON a.member_id = m.id
        GROUP BY m.id HAVING count(a.id) <> 2
    """
    for member, accounts in rows(query):
        yield f"member {member} has {accounts} points accounts instead of 2"


@check("documents")
def _documents() -> Iterator[str]:
    query = """
        SELECT k.id, k.source, k.number FROM members_purchasekey k
        LEFT JOIN members_purchase p ON p.id = k.document_id AND k.document = 'PURCHASE'
        LEFT JOIN members_return r ON r.id = k.document_id AND k.document = 'RETURN'
        WHERE p.id IS NULL AND r.id IS NULL
        UNION ALL
        SELECT p.id, p.source, p.number FROM members_purchase p
        LEFT JOIN members_purchasekey k ON k.document_id = p.id AND k.document = 'PURCHASE'
             AND k.source = p.source AND k.number = p.number
        WHERE k.id IS NULL
    """
    for _id, source, number in rows(query):
        yield f"document {source} {number}: key and row do not belong together"


@check("purchases")
def _purchases() -> Iterator[str]:
    query = """
        SELECT p.id, count(e.id), max(p.member_id), max(e.member_id) FROM members_purchase p
        LEFT JOIN members_pointsentry e ON e.purchase_id = p.id AND e.kind = 'EARN' AND e.point_type = 'SPENDABLE'
        GROUP BY p.id HAVING count(e.id) <> 1 OR max(e.member_id) <> max(p.member_id)
    """
    for purchase, entries, _member, _other in rows(query):
        yield f"purchase {purchase} has {entries} earning entries or another member's"


@check("purchase amounts")
def _purchase_amounts() -> Iterator[str]:
    query = """
        SELECT p.id, p.amount, sum(l.amount) FROM members_purchase p
        JOIN members_purchaseline l ON l.purchase_id = p.id GROUP BY p.id, p.amount HAVING p.amount <> sum(l.amount)
    """
    for purchase, amount, lines in rows(query):
        yield f"purchase {purchase}: amount {amount}, lines {lines}"

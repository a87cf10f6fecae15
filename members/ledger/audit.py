"""The books, proved from the rows: each check yields a sentence per wrong row."""

from collections.abc import Callable, Collection, Iterable, Iterator
from typing import Any

from django.db import connection

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


@check("balance")
def _balances() -> Iterator[str]:
    query = """
        SELECT a.id, a.balance, a.debt, coalesce(e.total, 0), coalesce(l.total, 0)
        FROM members_pointsaccount a
        LEFT JOIN (SELECT account_id, sum(points) AS total FROM members_pointsentry GROUP BY account_id) e
               ON e.account_id = a.id
        LEFT JOIN (SELECT account_id, sum(remaining) AS total FROM members_pointslot GROUP BY account_id) l
               ON l.account_id = a.id
        WHERE a.balance <> coalesce(e.total, 0) OR a.balance <> coalesce(l.total, 0) - a.debt OR a.debt < 0
    """
    for account, balance, debt, entries, lots in rows(query):
        yield f"account {account}: balance {balance}, entries {entries}, lots {lots}, debt {debt}"


@check("debt")
def _debts() -> Iterator[str]:
    query = """
        SELECT a.id, a.debt, l.remaining FROM members_pointsaccount a
        JOIN members_pointslot l ON l.account_id = a.id AND l.remaining > 0 WHERE a.debt > 0
    """
    for account, debt, remaining in rows(query):
        yield f"account {account}: owes {debt} while a lot holds {remaining}"


@check("lots")
def _lots() -> Iterator[str]:
    query = """
        SELECT l.id, l.granted, l.remaining, coalesce(u.used, 0)
        FROM members_pointslot l
        LEFT JOIN (SELECT lot_id, sum(points) AS used FROM members_lotuse GROUP BY lot_id) u ON u.lot_id = l.id
        WHERE l.remaining <> l.granted - coalesce(u.used, 0) OR l.remaining < 0 OR l.remaining > l.granted
    """
    for lot, granted, remaining, used in rows(query):
        yield f"lot {lot}: granted {granted}, used {used}, remaining {remaining}"


@check("credits")
def _credits() -> Iterator[str]:
    query = """
        SELECT e.id, e.points, l.granted FROM members_pointsentry e
        LEFT JOIN (SELECT entry_id, sum(granted) AS granted FROM members_pointslot GROUP BY entry_id) l
               ON l.entry_id = e.id
        WHERE (e.points > 0 AND e.kind IN ('EARN', 'GRANT', 'ADJUST', 'TRANSFER', 'REINSTATE')
               AND coalesce(l.granted, 0) <> e.points)
           OR (l.granted IS NOT NULL AND e.kind NOT IN ('EARN', 'GRANT', 'ADJUST', 'TRANSFER', 'REINSTATE', 'REFUND',
                                                        'RELEASE'))
    """
    for entry, points, granted in rows(query):
        yield f"entry {entry}: {points} points, lot of {granted}"


@check("debits")
def _debits() -> Iterator[str]:
    query = """
        SELECT e.id, e.points, coalesce(sum(u.points), 0) FROM members_pointsentry e
        LEFT JOIN members_lotuse u ON u.entry_id = e.id
        WHERE e.points < 0 AND e.kind IN ('REDEEM', 'EXPIRE', 'ADJUST', 'HOLD', 'TRANSFER')
        GROUP BY e.id, e.points HAVING e.points <> -coalesce(sum(u.points), 0)
    """
    for entry, points, used in rows(query):
        yield f"entry {entry}: {points} points, lots gave {used}"


@check("programme")
def _programme() -> Iterator[str]:
    balances = rows("SELECT coalesce(sum(balance), 0) FROM members_pointsaccount")[0][0]
    by_account = dict(rows("SELECT contra, sum(points) FROM members_pointsentry GROUP BY contra"))
    if balances != sum(by_account.values()):
        yield f"balances {balances}, programme accounts {by_account}"


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

"""The award: purchase, entry, lot, balance and event in one writing statement.

One purchase and a thousand take the same path. On PostgreSQL it is a single statement, keys first and accounts second,
both sorted, so that awards, batches and retries never wait for each other in a circle. SQLite has one writer at a time
and no data-modifying CTE: there the same rows are written table by table.

With its neighbours ``award_sql`` and ``award_sqlite`` this is the only code that inserts purchases.
"""

import contextlib
import itertools
import json
from collections.abc import Iterator, Sequence

import msgspec
from django.db import DatabaseError, connection, transaction

from members.jobs import wakeup
from members.ledger import award_sqlite
from members.ledger.award_rows import Award, Posted, Reserved, pay_debts
from members.ledger.award_sql import AWARD, AWARD_LOCKED, AWARD_ONE, RESERVE
from members.ledger.models import PointsAccount
from members.lib.prepared import fetch_prepared
from members.lib.transactions import RETRIED_STATES, retried

# "Division by zero": how the statement says that an account is missing or owes points and must be locked first.
_NEEDS_LOCK = "22012"

Document = tuple[str, str]


class NoAccount(Exception):
    """A member of the batch has no points account."""


def award_purchases(awards: Sequence[Award]) -> list[Posted]:
    """Record purchases with lines, points and events, each document (source, number) once for ever; all or nothing.

    A known document changes nothing: it comes back with ``is_new`` false and its stored content hash, for the caller to
    compare. A debt is paid before points become spendable. Answers in the order given. Raises NoAccount.
    """
    if not awards:
        return []
    ids = _write(awards)
    wakeup.wake_after_commit()
    known = {} if len(ids) == len(awards) else _known(awards, new=set(ids))
    first: dict[Document, Award] = {}
    return [_answer(award, ids, known, first) for award in awards]


def _answer(
    award: Award,
    ids: dict[Document, tuple[int, int]],
    known: dict[Document, Posted],
    first: dict[Document, Award],
) -> Posted:
    document = (award.source, award.number)
    if document not in ids:
        return known[document]
    # Of two awards for one document in a batch the first was written.
    written = first.setdefault(document, award)
    purchase_id, entry_id = ids[document]
    return Posted(purchase_id, entry_id, written.points, written is award, written.content_hash, written.breakdown)


def _write(awards: Sequence[Award]) -> dict[Document, tuple[int, int]]:
    """Write what is new; return purchase and entry id by document."""
    if connection.vendor != "postgresql":
        return _write_locked(awards)
    try:
        # A savepoint only inside somebody's transaction: alone, the statement is its own transaction.
        with transaction.atomic() if connection.in_atomic_block else contextlib.nullcontext():
            return _run(AWARD if len(awards) > 1 else AWARD_ONE, msgspec.json.encode(awards).decode())
    except DatabaseError as problem:
        if getattr(problem.__cause__, "sqlstate", None) not in {_NEEDS_LOCK, *RETRIED_STATES}:
            raise
    return _write_locked(awards)


@retried
def _write_locked(awards: Sequence[Award]) -> dict[Document, tuple[int, int]]:
    """The same rows when a debt has to be paid: take the keys, lock the accounts, decide, write."""
    reserved = _reserve(awards)
    if not reserved:
        return {}
    member_ids = {row.award.member_id for row in reserved}
    accounts = PointsAccount.objects.select_for_update(no_key=True).filter(
        member_id__in=member_ids, point_type=PointsAccount.PointType.SPENDABLE
    )
    debts = {account.member_id: account.debt for account in accounts.order_by("pk")}
    if member_ids - debts.keys():
        raise NoAccount(sorted(member_ids - debts.keys()))
    rows = pay_debts(reserved, debts)
    if connection.vendor == "postgresql":
        return _run(AWARD_LOCKED, _encoded(rows))
    return award_sqlite.write(rows)


def _reserve(awards: Sequence[Award]) -> list[Reserved]:
    if connection.vendor != "postgresql":
        return award_sqlite.reserve(awards)
    keys = [{"source": a.source, "number": a.number, "content_hash": a.content_hash} for a in awards]
    ids = _run(RESERVE, json.dumps(keys))
    reserved = []
    for award in awards:
        taken = ids.pop((award.source, award.number), None)
        if taken is not None:
            reserved.append(Reserved(award, *taken))
    return reserved


def _run(statement: str, parameter: str) -> dict[Document, tuple[int, int]]:
    return {(row[0], row[1]): (row[2], row[3]) for row in fetch_prepared(statement, [parameter])}


def _encoded(rows: Sequence[Reserved]) -> str:
    items = [
        msgspec.to_builtins(row.award) | {"purchase_id": row.purchase_id, "entry_id": row.entry_id, "paid": row.paid}
        for row in rows
    ]
    return json.dumps(items)


def _known(awards: Sequence[Award], *, new: set[Document]) -> dict[Document, Posted]:
    documents = sorted({(award.source, award.number) for award in awards} - new)
    return dict(_stored(documents))


_STORED = """
SELECT k.source, k.number, k.document_id, k.content_hash, e.id, e.points, e.breakdown
FROM members_purchasekey k
LEFT JOIN members_pointsentry e ON e.purchase_id = k.document_id AND e.kind = 'EARN' AND k.document = 'PURCHASE'
WHERE k.source = %s AND k.number IN ({places})
"""


def _stored(documents: Sequence[Document]) -> Iterator[tuple[Document, Posted]]:
    for source, group in itertools.groupby(documents, key=lambda document: document[0]):
        for chunk in _chunks([number for _source, number in group], 500):
            with connection.cursor() as cursor:
                cursor.execute(_STORED.format(places=", ".join(["%s"] * len(chunk))), [source, *chunk])
                for row in cursor.fetchall():
                    breakdown = json.loads(row[6]) if isinstance(row[6], str) else (row[6] or {})
                    yield (
                        (row[0], row[1]),
                        Posted(
                            purchase_id=row[2],
                            entry_id=row[4] or 0,
                            points=row[5] or 0,
                            is_new=False,
                            content_hash=row[3],
                            breakdown=breakdown,
                        ),
                    )


def _chunks(numbers: list[str], size: int) -> Iterator[list[str]]:
    for start in range(0, len(numbers), size):
        yield numbers[start : start + size]

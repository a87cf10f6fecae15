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
from typing import Any

from django.db import DatabaseError, connection, transaction

from members.jobs import wakeup
from members.ledger import award_sqlite
from members.ledger.award_columns import parameters_of, parameters_of_one, parameters_of_reserved
from members.ledger.award_rows import Award, CounterKey, Posted, Reserved, Settle, pay_debts, settle_caps
from members.ledger.award_sql import (
    AWARD,
    AWARD_CAPPED,
    AWARD_LOCKED,
    AWARD_ONE,
    AWARD_ONE_WITH_STATUS,
    AWARD_WITH_STATUS,
    LOCK_COUNTERS,
    RESERVE,
)
from members.ledger.maximum import is_maximum, points_kept, under_maximum
from members.lib.clock import database_now
from members.lib.prepared import Parameter, fetch_prepared
from members.lib.transactions import RETRIED_STATES, retried

# "Division by zero": how the statement says that an account is missing or owes points and must be locked first.
_NEEDS_LOCK = "22012"

Document = tuple[str, str]


class NoAccount(Exception):
    """A member of the batch has no points account."""


def award_purchases(awards: Sequence[Award], *, settle: Settle | None = None) -> list[Posted]:
    """Record purchases with lines, points and events, each document (source, number) once for ever; all or nothing.

    A known document changes nothing: it comes back with ``is_new`` false and its stored content hash, for the caller to
    compare. A debt is paid before points become spendable. Awards that name ``counters`` are decided by ``settle``
    under the lock of account and counters. Answers in the order given. Raises NoAccount.
    """
    if not awards:
        return []
    written = _write(awards, settle)
    wakeup.wake_after_commit()
    known = {} if len(written) == len(awards) else _known(awards, new=set(written))
    first: set[Document] = set()
    return [_answer(award, written, known, first) for award in awards]


def _answer(
    award: Award, written: dict[Document, Reserved], known: dict[Document, Posted], first: set[Document]
) -> Posted:
    document = (award.source, award.number)
    row = written.get(document)
    if row is None:
        return known[document]
    # Of two awards for one document in a batch the first was written.
    is_new = document not in first
    first.add(document)
    posted = row.award
    return Posted(row.purchase_id, row.entry_id, posted.points, is_new, posted.content_hash, posted.breakdown)


def _write(awards: Sequence[Award], settle: Settle | None) -> dict[Document, Reserved]:
    """Write what is new and return it by document."""
    if connection.vendor != "postgresql" or any(award.counters for award in awards):
        return _write_locked(awards, settle)
    try:
        # A savepoint only inside somebody's transaction: alone, the statement is its own transaction.
        with transaction.atomic() if connection.in_atomic_block else contextlib.nullcontext():
            ids = _run(*_statement_for(awards))
    except DatabaseError as problem:
        if getattr(problem.__cause__, "sqlstate", None) not in {_NEEDS_LOCK, *RETRIED_STATES}:
            raise
        return _write_locked(awards, settle)
    first = {(award.source, award.number): award for award in reversed(awards)}
    return {document: Reserved(first[document], *taken) for document, taken in ids.items()}


def _statement_for(awards: Sequence[Award]) -> tuple[str, list[Parameter]]:
    """Return the leanest statement that does what these awards need, and its parameters."""
    status = any(award.status_points for award in awards)
    if len(awards) == 1:
        return AWARD_ONE_WITH_STATUS if status else AWARD_ONE, parameters_of_one(awards[0], status=status)
    return AWARD_WITH_STATUS if status else AWARD, parameters_of(awards, status=status)


@retried
def _write_locked(awards: Sequence[Award], settle: Settle | None) -> dict[Document, Reserved]:
    """The same rows when a debt has to be paid or a cap decides: take the keys, lock, decide, write."""
    reserved, debts = _reserve(awards)
    if not reserved:
        return {}
    if settle is not None:
        reserved = _settle(reserved, settle)
    rows = pay_debts(reserved, debts)
    if connection.vendor == "postgresql":
        uses = [_flat(use.key) | {"points": use.points} for row in rows for use in row.award.uses]
        statement, counters = (AWARD_CAPPED, [json.dumps(uses)]) if uses else (AWARD_LOCKED, [])
        _run(statement, [*parameters_of_reserved(rows), *counters])
    else:
        award_sqlite.write(rows)
    return {(row.award.source, row.award.number): row for row in rows}


def _settle(reserved: list[Reserved], settle: Settle) -> list[Reserved]:
    """Decide what caps and the maximum balance leave, under the locks of counters and accounts."""
    keys = {key for row in reserved for key in row.award.counters}
    used = _lock_counters({key for key in keys if not is_maximum(key)})
    limited = {key.member_id for key in keys if is_maximum(key)}
    if limited:
        now = database_now()
        settle = under_maximum(settle, points_kept(limited, now), now)
    return settle_caps(reserved, used, settle)


def _reserve(awards: Sequence[Award]) -> tuple[list[Reserved], dict[int, int]]:
    """Take the free document keys, then lock the accounts; return what is new, and the debt by member."""
    if connection.vendor != "postgresql":
        reserved = award_sqlite.reserve(awards)
        debts = award_sqlite.debts_of({row.award.member_id for row in reserved})
    else:
        reserved, debts = _reserve_on_postgres(awards)
    strangers = {row.award.member_id for row in reserved} - debts.keys()
    if strangers:
        raise NoAccount(sorted(strangers))
    return reserved, debts


def _reserve_on_postgres(awards: Sequence[Award]) -> tuple[list[Reserved], dict[int, int]]:
    fields = ("source", "number", "content_hash", "member_id")
    keys = [{name: getattr(award, name) for name in fields} for award in awards]
    rows = fetch_prepared(RESERVE, [json.dumps(keys)])
    taken = {(source, number): (pid, eid) for source, number, pid, eid, _member, _debt in rows}
    reserved = []
    for award in awards:
        ids = taken.pop((award.source, award.number), None)
        if ids is not None:
            reserved.append(Reserved(award, *ids))
    return reserved, {row[4]: row[5] for row in rows if row[5] is not None}


def _lock_counters(keys: set[CounterKey]) -> dict[CounterKey, int]:
    """Lock the counters in one order and return what each has used."""
    if not keys:
        return {}
    if connection.vendor != "postgresql":
        return award_sqlite.read_counters(keys)
    rows = fetch_prepared(LOCK_COUNTERS, [json.dumps([_flat(key) for key in keys])])
    return {CounterKey(name, member_id, period): used for name, member_id, period, used in rows}


def _flat(key: CounterKey) -> dict[str, Any]:
    return {"name": key.name, "member_id": key.member_id, "period": key.period}


def _run(statement: str, parameters: Sequence[Parameter]) -> dict[Document, tuple[int, int]]:
    return {(row[0], row[1]): (row[2], row[3]) for row in fetch_prepared(statement, parameters)}


def _known(awards: Sequence[Award], *, new: set[Document]) -> dict[Document, Posted]:
    documents = sorted({(award.source, award.number) for award in awards} - new)
    return dict(_stored(documents))


_STORED = """
SELECT k.source, k.number, k.document_id, k.content_hash, e.id, e.points, e.breakdown
FROM members_purchasekey k
LEFT JOIN members_pointsentry e ON e.purchase_id = k.document_id AND e.kind = 'EARN'
     AND e.point_type = 'SPENDABLE' AND k.document = 'PURCHASE'
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

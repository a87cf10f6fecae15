"""The award for files: the same rows as ``awarding`` writes, brought to PostgreSQL by COPY.

A file brings documents by the million, nearly all of them new and their members free of debt. For those the rows are
written out here and copied into their tables: that costs the server a third of what one statement costs that has to
take them out of an array first. Whatever needs more than that goes the usual way, as a whole batch.

The order of locks is the one of every award: keys sorted, accounts by id, then the rest.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import msgspec
from django.db import DatabaseError, connection, transaction

from members.jobs import wakeup
from members.ledger.award_rows import Award, AwardLot, Posted, Settle
from members.ledger.awarding import award_purchases
from members.lib.prepared import array_of, fetch_prepared
from members.lib.transactions import RETRIED_STATES

_KNOWN_DOCUMENT = "23505"

_RESERVE = """
SELECT nextval('members_purchase_id_seq'), nextval('members_pointsentry_id_seq') FROM generate_series(1, $1::int)
"""
_RESERVE_ENTRIES = "SELECT nextval('members_pointsentry_id_seq') FROM generate_series(1, $1::int)"
# Without ON CONFLICT: a document that is known stops the batch.
_TAKE_KEYS = """
INSERT INTO members_purchasekey (source, number, document, document_id, content_hash)
SELECT source, number, 'PURCHASE', pid, content_hash
FROM json_to_recordset($1::json) AS i(source text, number text, pid bigint, content_hash text)
ORDER BY source, number, pid RETURNING 1
"""
_LOCK = """
SELECT member_id, id, debt FROM members_pointsaccount
WHERE point_type = 'SPENDABLE' AND member_id = ANY($1::bigint[]) ORDER BY id FOR NO KEY UPDATE
"""
_NOW = "SELECT clock_timestamp()::text"
_STATUS_ACCOUNTS = """
SELECT member_id, id FROM members_pointsaccount WHERE point_type = 'STATUS' AND member_id = ANY($1::bigint[])
"""
_BALANCES = """
UPDATE members_pointsaccount t SET balance = t.balance + s.points
FROM unnest($1::bigint[], $2::bigint[]) AS s(id, points) WHERE t.id = s.id RETURNING 1
"""

# What differs from row to row first; what is known only after the locks last.
_PURCHASE = (
    "members_purchase (id, source, number, member_id, store_id, purchased_at, currency, amount, origin, shipping, "
    "points_paid, gift_card_paid, invoice, buyer_tax_id, recorded_at)"
)
_LINE = (
    "members_purchaseline (purchase_id, member_id, sku, description, category, brand, quantity, amount, tax, discount)"
)
_ENTRY = (
    "members_pointsentry (id, member_id, point_type, kind, contra, points, key, purchase_id, reason, breakdown, "
    "occurred_at, account_id, recorded_at)"
)
_LOT = "members_pointslot (entry_id, member_id, granted, remaining, available_from, expires_at, notice_due, account_id)"
_EVENT = "members_event (kind, member_id, occurred_at, data, backfilled, recorded_at)"


class _NotSoSimple(Exception):
    """An account is missing or owes points: the batch has to go the usual way."""


def award_purchases_of_file(awards: Sequence[Award], *, settle: Settle) -> list[Posted]:
    """Record purchases as ``awarding.award_purchases`` does, with the same rows and promises, faster where it can be.

    Batches with a known document, with a debt to pay or with caps to look at take the usual way. Answers in the order
    given. Raises NoAccount.
    """
    if connection.vendor != "postgresql" or not awards or any(award.counters for award in awards):
        return award_purchases(awards, settle=settle)
    rows = _reserve(awards)
    try:
        _copy(rows, _sheets(rows))
    except _NotSoSimple:
        return award_purchases(awards, settle=settle)
    except DatabaseError as problem:
        if getattr(problem.__cause__, "sqlstate", None) not in {_KNOWN_DOCUMENT, *RETRIED_STATES}:
            raise
        return award_purchases(awards, settle=settle)
    wakeup.wake_after_commit()
    return [
        Posted(
            purchase_id=row.purchase_id,
            entry_id=row.entry_id,
            points=row.award.points,
            is_new=True,
            content_hash=row.award.content_hash,
            breakdown=row.award.breakdown,
        )
        for row in rows
    ]


class _Row(NamedTuple):
    """An award with its ids."""

    award: Award
    purchase_id: int
    entry_id: int
    status_entry_id: int | None


def _reserve(awards: Sequence[Award]) -> list[_Row]:
    ids = fetch_prepared(_RESERVE, [str(len(awards))])
    with_status = sum([award.status_points > 0 for award in awards])
    more = iter(fetch_prepared(_RESERVE_ENTRIES, [str(with_status)]) if with_status else ())
    return [
        _Row(award, purchase_id, entry_id, next(more)[0] if award.status_points else None)
        for award, (purchase_id, entry_id) in zip(awards, ids, strict=True)
    ]


@dataclass(frozen=True, slots=True)
class _Sheets:
    """The rows of a batch as COPY reads them; what is known only under the locks is missing at their ends.

    Entries and lots are kept with their members, whose accounts they need.
    """

    purchases: list[str] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)
    entries: list[tuple[str, int]] = field(default_factory=list)
    lots: list[tuple[str, int]] = field(default_factory=list)
    status_entries: list[tuple[str, int]] = field(default_factory=list)
    status_lots: list[tuple[str, int]] = field(default_factory=list)
    events: list[str] = field(default_factory=list)


def _sheets(rows: Sequence[_Row]) -> _Sheets:
    """Write the rows out before anything is locked."""
    sheets = _Sheets()
    for row in rows:
        award, member_id = row.award, row.award.member_id
        at = str(award.purchased_at)
        sheets.purchases.append(_purchase(row, at))
        sheets.lines.extend(_lines(row))
        sheets.entries.append((_entry(row, at), member_id))
        sheets.lots.extend([(_lot(row.entry_id, member_id, lot), member_id) for lot in award.lots])
        sheets.events.append(_event(row, at))
        if row.status_entry_id is not None:
            lot = AwardLot(award.status_points, award.status_from, None)
            sheets.status_entries.append((_status_entry(row, at), member_id))
            sheets.status_lots.append((_lot(row.status_entry_id, member_id, lot), member_id))
    return sheets


def _purchase(row: _Row, at: str) -> str:
    a = row.award
    return (
        f"{row.purchase_id}\t{_cell(a.source)}\t{_cell(a.number)}\t{a.member_id}\t{_or_null(a.store_id)}\t{at}\t"
        f"{_cell(a.currency)}\t{a.amount}\t{_cell(a.origin)}\t{_or_null(a.shipping)}\t{_or_null(a.points_paid)}\t"
        f"{_or_null(a.gift_card_paid)}\t{_cell(a.invoice)}\t{_cell(a.buyer_tax_id)}"
    )


def _lines(row: _Row) -> list[str]:
    start = f"{row.purchase_id}\t{row.award.member_id}\t"
    return [
        f"{start}{_cell(line.sku)}\t{_cell(line.description)}\t{_cell(line.category)}\t{_cell(line.brand)}\t"
        f"{line.quantity}\t{line.amount}\t{_or_null(line.tax)}\t{_or_null(line.discount)}\n"
        for line in row.award.lines
    ]


def _entry(row: _Row, at: str) -> str:
    a = row.award
    return (
        f"{row.entry_id}\t{a.member_id}\tSPENDABLE\tEARN\tISSUED\t{a.points}\t{_cell(a.entry_key)}\t"
        f"{row.purchase_id}\t\t{_json(a.breakdown)}\t{at}"
    )


def _status_entry(row: _Row, at: str) -> str:
    a = row.award
    return (
        f"{row.status_entry_id}\t{a.member_id}\tSTATUS\tEARN\tISSUED\t{a.status_points}\t"
        f'{_cell(a.entry_key)}:status\t{row.purchase_id}\t\t{{"entry": {row.entry_id}}}\t{at}'
    )


def _lot(entry_id: int, member_id: int, lot: AwardLot) -> str:
    return (
        f"{entry_id}\t{member_id}\t{lot.points}\t{lot.points}\t{_or_null(lot.available_from)}\t"
        f"{_or_null(lot.expires_at)}\t{'t' if lot.notice_due else 'f'}"
    )


def _event(row: _Row, at: str) -> str:
    a = row.award
    data = {
        "purchase": row.purchase_id,
        "entry": row.entry_id,
        "amount": a.amount,
        "currency": a.currency,
        "points": a.points,
    }
    return f"purchase.recorded\t{a.member_id}\t{at}\t{_json(data)}\t{'t' if a.backfilled else 'f'}"


def _cell(text: str) -> str:
    """Return a text as COPY reads it."""
    if text.isprintable() and "\\" not in text:
        return text
    return text.replace("\\", "\\\\").replace("\t", "\\t").replace("\n", "\\n").replace("\r", "\\r")


def _json(value: Any) -> str:
    # JSON writes control characters with backslashes, so these are all that COPY could mistake.
    return msgspec.json.encode(value).decode().replace("\\", "\\\\")


def _or_null(value: object) -> object:
    return "\\N" if value is None else value


def _copy(rows: Sequence[_Row], sheets: _Sheets) -> None:
    """Write a batch, all or nothing. Raises _NotSoSimple, and DatabaseError for a known document."""
    given = Counter[int]()
    with transaction.atomic():
        _take_keys(rows)
        accounts = _lock_accounts(rows)
        ends = f"\t{fetch_prepared(_NOW, [])[0][0]}\n"
        _copy_to(_PURCHASE, _ended(sheets.purchases, ends))
        _copy_to(_LINE, "".join(sheets.lines))
        _copy_to(_ENTRY, _of_accounts(sheets.entries, accounts, ends))
        _copy_to(_LOT, _of_accounts(sheets.lots, accounts, "\n"))
        for row in rows:
            given[accounts[row.award.member_id]] += row.award.points
        if sheets.status_entries:
            status = _status_accounts(rows)
            _copy_to(_ENTRY, _of_accounts(sheets.status_entries, status, ends))
            _copy_to(_LOT, _of_accounts(sheets.status_lots, status, "\n"))
            for row in rows:
                given[status[row.award.member_id]] += row.award.status_points
        _copy_to(_EVENT, _ended(sheets.events, ends))
        fetch_prepared(_BALANCES, [array_of(list(given)), array_of(list(given.values()))])


def _take_keys(rows: Sequence[_Row]) -> None:
    keys = [
        {
            "source": row.award.source,
            "number": row.award.number,
            "pid": row.purchase_id,
            "content_hash": row.award.content_hash,
        }
        for row in rows
    ]
    fetch_prepared(_TAKE_KEYS, [msgspec.json.encode(keys).decode()])


def _lock_accounts(rows: Sequence[_Row]) -> dict[int, int]:
    """Lock the members' accounts in one order; return them by member."""
    member_ids = {row.award.member_id for row in rows}
    locked = fetch_prepared(_LOCK, [array_of(list(member_ids))])
    if len(locked) < len(member_ids) or any(debt for _member, _account, debt in locked):
        raise _NotSoSimple
    return {member: account for member, account, _debt in locked}


def _status_accounts(rows: Sequence[_Row]) -> dict[int, int]:
    member_ids = {row.award.member_id for row in rows if row.status_entry_id is not None}
    return dict(fetch_prepared(_STATUS_ACCOUNTS, [array_of(list(member_ids))]))


def _of_accounts(rows: Iterable[tuple[str, int]], accounts: Mapping[int, int], ends: str) -> str:
    return _ended([f"{start}\t{accounts[member_id]}" for start, member_id in rows], ends)


def _ended(rows: Sequence[str], ends: str) -> str:
    return ends.join(rows) + ends if rows else ""


def _copy_to(table: str, text: str) -> None:
    with (
        connection.cursor() as cursor,
        connection.wrap_database_errors,
        cursor.copy(f"COPY {table} FROM STDIN") as copy,
    ):
        copy.write(text)

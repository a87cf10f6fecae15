"""The award on SQLite: the same rows, table by table, under the one write lock."""

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db import connection

from members.ledger.award_rows import Award, CounterKey, CounterUse, Reserved
from members.ledger.models import Counter, PointType
from members.lib.clock import database_now

_KEY = """
INSERT INTO members_purchasekey (source, number, document, document_id, content_hash)
VALUES (%s, %s, 'PURCHASE', %s, %s) ON CONFLICT (source, number) DO NOTHING RETURNING id
"""
_PURCHASE = """
INSERT INTO members_purchase
    (id, source, number, member_id, store_id, purchased_at, recorded_at, currency, amount, origin, shipping,
     points_paid, gift_card_paid, invoice, buyer_tax_id)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
"""
_LINE = """
INSERT INTO members_purchaseline
    (purchase_id, member_id, sku, description, category, brand, quantity, amount, tax, discount)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
"""
_ENTRY = """
INSERT INTO members_pointsentry (id, account_id, member_id, point_type, kind, contra, points, key, purchase_id, reason,
                                 breakdown, occurred_at, recorded_at)
VALUES (%s, %s, %s, %s, 'EARN', 'ISSUED', %s, %s, %s, '', %s, %s, %s)
"""
_LOT = """
INSERT INTO members_pointslot
    (entry_id, account_id, member_id, granted, remaining, available_from, expires_at, notice_due)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s)
"""
_USE = """
INSERT INTO members_lotuse (entry_id, lot_id, points)
SELECT entry_id, id, granted - remaining FROM members_pointslot WHERE entry_id = %s AND remaining < granted
"""
_COUNTER = """
INSERT INTO members_counter (name, member_id, period, used) VALUES (%s, %s, %s, %s)
ON CONFLICT (name, member_id, period) DO UPDATE SET used = used + excluded.used
"""
_EVENT = """
INSERT INTO members_event (kind, member_id, occurred_at, recorded_at, data, backfilled, position)
VALUES ('purchase.recorded', %s, %s, %s, %s, %s, 0)
"""
_BALANCE = "UPDATE members_pointsaccount SET balance = balance + %s, debt = debt - %s WHERE id = %s"


def reserve(awards: Sequence[Award]) -> list[Reserved]:
    """Take the document keys that are free; needs the write lock, which makes counting up ids safe."""
    reserved = []
    with connection.cursor() as cursor:
        purchase_id = _highest(cursor, "members_purchase")
        entry_id = _highest(cursor, "members_pointsentry")
        for award in awards:
            cursor.execute(_KEY, [award.source, award.number, purchase_id + 1, award.content_hash])
            if cursor.fetchone() is not None:
                purchase_id, entry_id = purchase_id + 1, entry_id + 1
                reserved.append(Reserved(award, purchase_id, entry_id))
    return reserved


def _highest(cursor: Any, table: str) -> int:
    cursor.execute(f"SELECT coalesce(max(id), 0) FROM {table}")  # noqa: S608 - the two names above
    return int(cursor.fetchone()[0])


def debts_of(member_ids: set[int]) -> dict[int, int]:
    """Return what each member owes; a member without account is missing."""
    return _of_accounts("debt", member_ids, PointType.SPENDABLE)


def _of_accounts(column: str, member_ids: set[int], point_type: PointType) -> dict[int, int]:
    """Return a column of the members' accounts by member; in plain SQL, for compiling the query costs more than it."""
    query = (
        f"SELECT member_id, {column} FROM members_pointsaccount "  # noqa: S608 - one of our own columns
        "WHERE point_type = %s AND member_id IN (SELECT value FROM json_each(%s))"
    )
    with connection.cursor() as cursor:
        cursor.execute(query, [point_type.value, json.dumps(sorted(member_ids))])
        return dict(cursor.fetchall())


def read_counters(keys: set[CounterKey]) -> dict[CounterKey, int]:
    """Return what each counter has used; the write lock of the database guards them."""
    rows = Counter.objects.filter(name__in={key.name for key in keys}, period__in={key.period for key in keys})
    rows = rows.filter(member_id__in={key.member_id for key in keys})
    known = {CounterKey(row.name, row.member_id, row.period.isoformat()): row.used for row in rows}
    return {key: known.get(key, 0) for key in keys}


def write(rows: Sequence[Reserved]) -> None:
    """Write everything that follows the keys."""
    now = _text(database_now())
    spendable = _accounts(rows, PointType.SPENDABLE)
    with connection.cursor() as cursor:
        cursor.executemany(_PURCHASE, [_purchase(row, now) for row in rows])
        cursor.executemany(_LINE, [line for row in rows for line in _lines(row)])
        cursor.executemany(_ENTRY, [_entry(row, spendable[row.award.member_id], now) for row in rows])
        cursor.executemany(_LOT, [lot for row in rows for lot in _lots(row, spendable[row.award.member_id])])
        cursor.executemany(_USE, [[row.entry_id] for row in rows if row.paid])
        cursor.executemany(_EVENT, [_event(row, now) for row in rows])
        cursor.executemany(_BALANCE, [(r.award.points, r.paid, spendable[r.award.member_id]) for r in rows])
        cursor.executemany(_COUNTER, [_counter(use) for row in rows for use in row.award.uses])
        _write_status(cursor, [row for row in rows if row.award.status_points], now)


def _accounts(rows: Sequence[Reserved], point_type: PointType) -> dict[int, int]:
    return _of_accounts("id", {row.award.member_id for row in rows}, point_type)


def _write_status(cursor: Any, rows: Sequence[Reserved], now: Any) -> None:
    """Write the status points of the awards that give some: entries, lots, balances."""
    if not rows:
        return
    accounts = _accounts(rows, PointType.STATUS)
    first = _highest(cursor, "members_pointsentry") + 1
    numbered = [(entry_id, row, accounts[row.award.member_id]) for entry_id, row in enumerate(rows, first)]
    cursor.executemany(_ENTRY, [_status_entry(entry_id, row, account, now) for entry_id, row, account in numbered])
    cursor.executemany(_LOT, [_status_lot(entry_id, row, account) for entry_id, row, account in numbered])
    cursor.executemany(_BALANCE, [(row.award.status_points, 0, account) for _id, row, account in numbered])


def _text(instant: Any) -> Any:
    return connection.ops.adapt_datetimefield_value(instant)


def _text_or_none(instant: datetime | None) -> Any:
    return _text(instant) if instant else None


def _purchase(row: Reserved, now: Any) -> tuple[Any, ...]:
    a = row.award
    when = _text(a.purchased_at)
    return (
        row.purchase_id,
        a.source,
        a.number,
        a.member_id,
        a.store_id,
        when,
        now,
        a.currency,
        a.amount,
        a.origin,
        a.shipping,
        a.points_paid,
        a.gift_card_paid,
        a.invoice,
        a.buyer_tax_id,
    )


def _lines(row: Reserved) -> list[tuple[Any, ...]]:
    return [
        (
            row.purchase_id,
            row.award.member_id,
            line.sku,
            line.description,
            line.category,
            line.brand,
            line.quantity,
            line.amount,
            line.tax,
            line.discount,
        )
        for line in row.award.lines
    ]


def _entry(row: Reserved, account_id: int, now: Any) -> tuple[Any, ...]:
    a = row.award
    return (
        row.entry_id,
        account_id,
        a.member_id,
        PointType.SPENDABLE,
        a.points,
        a.entry_key,
        row.purchase_id,
        json.dumps(a.breakdown),
        _text(a.purchased_at),
        now,
    )


def _lots(row: Reserved, account_id: int) -> list[tuple[Any, ...]]:
    return [
        (
            row.entry_id,
            account_id,
            row.award.member_id,
            lot.points,
            lot.points - lot.paid,
            _text_or_none(lot.available_from),
            _text_or_none(lot.expires_at),
            lot.notice_due,
        )
        for lot in row.award.lots
    ]


def _status_entry(entry_id: int, row: Reserved, account_id: int, now: Any) -> tuple[Any, ...]:
    a = row.award
    return (
        entry_id,
        account_id,
        a.member_id,
        PointType.STATUS,
        a.status_points,
        f"{a.entry_key}:status",
        row.purchase_id,
        json.dumps({"entry": row.entry_id}),
        _text(a.purchased_at),
        now,
    )


def _status_lot(entry_id: int, row: Reserved, account_id: int) -> tuple[Any, ...]:
    a = row.award
    since = _text_or_none(a.status_from)
    return (entry_id, account_id, a.member_id, a.status_points, a.status_points, since, None, False)


def _counter(use: CounterUse) -> tuple[Any, ...]:
    return (use.key.name, use.key.member_id, use.key.period, use.points)


def _event(row: Reserved, now: Any) -> tuple[Any, ...]:
    a = row.award
    data = {
        "purchase": row.purchase_id,
        "entry": row.entry_id,
        "amount": a.amount,
        "currency": a.currency,
        "points": a.points,
    }
    return (a.member_id, _text(a.purchased_at), now, json.dumps(data), a.backfilled)

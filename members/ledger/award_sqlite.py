"""The award on SQLite: the same rows, table by table, under the one write lock."""

import json
from collections.abc import Sequence
from typing import Any

from django.db import connection

from members.ledger.award_rows import Award, Reserved
from members.ledger.models import PointsAccount
from members.lib.clock import database_now

_KEY = """
INSERT INTO members_purchasekey (source, number, document, document_id, content_hash)
VALUES (%s, %s, 'PURCHASE', %s, %s) ON CONFLICT (source, number) DO NOTHING RETURNING id
"""
_PURCHASE = """
INSERT INTO members_purchase
    (id, source, number, member_id, store_id, purchased_at, recorded_at, currency, amount, origin)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
"""
_LINE = """
INSERT INTO members_purchaseline (purchase_id, member_id, sku, description, category, quantity, amount)
VALUES (%s, %s, %s, %s, %s, %s, %s)
"""
_ENTRY = """
INSERT INTO members_pointsentry (id, account_id, member_id, kind, contra, points, key, purchase_id, reason, breakdown,
                                 occurred_at, recorded_at)
VALUES (%s, %s, %s, 'EARN', 'ISSUED', %s, %s, %s, '', %s, %s, %s)
"""
_LOT = """
INSERT INTO members_pointslot (entry_id, account_id, member_id, granted, remaining, available_from, expires_at)
VALUES (%s, %s, %s, %s, %s, %s, %s)
"""
_USE = """
INSERT INTO members_lotuse (entry_id, lot_id, points)
SELECT entry_id, id, %s FROM members_pointslot WHERE entry_id = %s
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


def write(rows: Sequence[Reserved]) -> dict[tuple[str, str], tuple[int, int]]:
    """Write everything that follows the keys; return purchase and entry id by document."""
    accounts = dict(
        PointsAccount.objects.filter(
            member_id__in={row.award.member_id for row in rows}, point_type=PointsAccount.PointType.SPENDABLE
        ).values_list("member_id", "pk")
    )
    now = _text(database_now())
    with connection.cursor() as cursor:
        cursor.executemany(_PURCHASE, [_purchase(row, now) for row in rows])
        cursor.executemany(_LINE, [line for row in rows for line in _lines(row)])
        cursor.executemany(_ENTRY, [_entry(row, accounts[row.award.member_id], now) for row in rows])
        cursor.executemany(_LOT, [_lot(row, accounts[row.award.member_id]) for row in rows if row.award.points])
        cursor.executemany(_USE, [(row.paid, row.entry_id) for row in rows if row.paid])
        cursor.executemany(_EVENT, [_event(row, now) for row in rows])
        cursor.executemany(_BALANCE, [(r.award.points, r.paid, accounts[r.award.member_id]) for r in rows])
    return {(row.award.source, row.award.number): (row.purchase_id, row.entry_id) for row in rows}


def _text(instant: Any) -> Any:
    return connection.ops.adapt_datetimefield_value(instant)


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
    )


def _lines(row: Reserved) -> list[tuple[Any, ...]]:
    return [
        (
            row.purchase_id,
            row.award.member_id,
            line.sku,
            line.description,
            line.category,
            line.quantity,
            line.amount,
        )
        for line in row.award.lines
    ]


def _entry(row: Reserved, account_id: int, now: Any) -> tuple[Any, ...]:
    a = row.award
    breakdown = json.dumps(a.breakdown)
    when = _text(a.purchased_at)
    return (
        row.entry_id,
        account_id,
        a.member_id,
        a.points,
        a.entry_key,
        row.purchase_id,
        breakdown,
        when,
        now,
    )


def _lot(row: Reserved, account_id: int) -> tuple[Any, ...]:
    a = row.award
    ends = _text(a.expires_at) if a.expires_at else None
    return (
        row.entry_id,
        account_id,
        a.member_id,
        a.points,
        a.points - row.paid,
        _text(a.available_from),
        ends,
    )


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

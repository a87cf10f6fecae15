"""The award as PostgreSQL statements; ``award_columns`` gives their parameters.

One award is told by values, many by arrays. Whoever is missing an account, or owes points that nobody reckoned with,
makes the statement divide by zero: nothing is written then.
"""

from collections.abc import Sequence

from members.ledger.award_columns import (
    AWARD_COLUMNS,
    LINE_COLUMNS,
    LOT_COLUMNS,
    PLACE,
    RESERVED_COLUMNS,
    STATUS_COLUMNS,
    Column,
)

# What every award writes. {n} is the new awards with their ids, {a} their accounts; {debts}, {status} and {counters}
# are steps that most awards do not need: each costs time even when it finds nothing to do.
_AWARD = """
WITH {n}, {a}, p AS (
    INSERT INTO members_purchase
        (id, source, number, member_id, store_id, purchased_at, recorded_at, currency, amount, origin, shipping,
         points_paid, gift_card_paid, invoice, buyer_tax_id)
    SELECT pid, source, number, member_id, store_id, purchased_at, now, currency, amount, origin, shipping,
           points_paid, gift_card_paid, coalesce(invoice, ''), coalesce(buyer_tax_id, '') FROM n
), g AS (
    INSERT INTO members_purchaseline
        (purchase_id, member_id, sku, description, category, brand, quantity, amount, tax, discount)
    SELECT n.pid, n.member_id, y.sku, coalesce(y.description, ''), coalesce(y.category, ''), coalesce(y.brand, ''),
           y.quantity, y.amount, y.tax, y.discount
    FROM n {lines}
), e AS (
    INSERT INTO members_pointsentry
        (id, account_id, member_id, point_type, kind, contra, points, key, purchase_id, reason, breakdown, occurred_at,
         recorded_at)
    SELECT n.eid, a.id, n.member_id, 'SPENDABLE', 'EARN', 'ISSUED', n.points,
           'purchase:' || n.source || ':' || n.number, n.pid, '', n.breakdown, n.purchased_at, n.now
    FROM n {account}
), l AS (
    INSERT INTO members_pointslot
        (entry_id, account_id, member_id, granted, remaining, available_from, expires_at, notice_due)
    SELECT n.eid, a.id, n.member_id, y.points, y.points - coalesce(y.paid, 0), y.available_from, y.expires_at,
           coalesce(y.notice_due, false)
    FROM n {account} {lots}
    {returning}
){debts}{status}, v AS (
    INSERT INTO members_event (kind, member_id, occurred_at, recorded_at, data, backfilled)
    SELECT 'purchase.recorded', member_id, purchased_at, now, jsonb_build_object(
        'purchase', pid, 'entry', eid, 'amount', amount, 'currency', currency, 'points', points),
        coalesce(backfilled, false)
    FROM n {in_order}
){counters}
SELECT n.source, n.number, n.pid, n.eid, 1 / ({is_sound})
FROM n
"""

# For one award nothing is joined or sorted: its key is taken, and its account is locked by the change of its balance.
_ONE_NEW = """k AS (
    INSERT INTO members_purchasekey (source, number, document, document_id, content_hash)
    VALUES ({source}, {number}, 'PURCHASE', nextval('members_purchase_id_seq'), {content_hash})
    ON CONFLICT (source, number) DO NOTHING RETURNING document_id
), n AS MATERIALIZED (
    SELECT {values}, k.document_id AS pid, nextval('members_pointsentry_id_seq') AS eid, clock_timestamp() AS now FROM k
)"""
_ONE_ACCOUNT = """a AS (
    UPDATE members_pointsaccount t SET balance = t.balance + n.points FROM n
    WHERE t.member_id = n.member_id AND t.point_type = 'SPENDABLE' AND t.debt = 0 RETURNING t.id, t.member_id
)"""
_ONE_IS_SOUND = "SELECT count(*) FROM a"

_MANY_NEW = """i AS MATERIALIZED (
    SELECT x.*, {ids}, clock_timestamp() AS now FROM {rows}
), k AS ({keys}
), n AS MATERIALIZED (
    SELECT i.* FROM i JOIN k ON k.document_id = i.pid
)"""
_MANY_ACCOUNTS = """a AS MATERIALIZED (
    SELECT t.id, t.member_id, t.debt FROM members_pointsaccount t
    WHERE t.point_type = 'SPENDABLE' AND t.member_id = ANY (ARRAY(SELECT member_id FROM n))
    ORDER BY t.id FOR NO KEY UPDATE
), u AS (
    UPDATE members_pointsaccount t SET balance = t.balance + s.points{less_paid}
    FROM (SELECT member_id, sum(points) AS points{paid} FROM n GROUP BY member_id) s JOIN a USING (member_id)
    WHERE t.id = a.id
)"""
_MANY_ARE_SOUND = """CASE WHEN (SELECT count(*) FROM a{without_debt}) = (SELECT count(DISTINCT member_id) FROM n)
    THEN 1 ELSE 0 END"""

_TAKE_KEYS = """
    INSERT INTO members_purchasekey (source, number, document, document_id, content_hash)
    SELECT source, number, 'PURCHASE', pid, content_hash FROM i ORDER BY source, number, pid
    ON CONFLICT (source, number) DO NOTHING RETURNING document_id"""
_KEYS_TAKEN = "SELECT pid AS document_id FROM i"
_NEW_IDS = "nextval('members_purchase_id_seq') AS pid, nextval('members_pointsentry_id_seq') AS eid"
_IDS_TAKEN = "purchase_id AS pid, entry_id AS eid"

_PAY_DEBTS = """, d AS (
    INSERT INTO members_lotuse (entry_id, lot_id, points) SELECT entry_id, id, paid FROM l WHERE paid > 0
)"""

# Status points: never spent, never owed, so their account needs no lock of its own.
_GIVE_STATUS = """, c AS MATERIALIZED (
    SELECT n.eid, n.pid, n.source, n.number, n.purchased_at, n.now, n.member_id, n.status_points AS points,
           n.status_from AS available_from, t.id AS account_id, nextval('members_pointsentry_id_seq') AS status_eid
    FROM n JOIN members_pointsaccount t ON t.member_id = n.member_id AND t.point_type = 'STATUS'
    WHERE n.status_points > 0 ORDER BY n.eid
), ce AS (
    INSERT INTO members_pointsentry
        (id, account_id, member_id, point_type, kind, contra, points, key, purchase_id, reason, breakdown, occurred_at,
         recorded_at)
    SELECT status_eid, account_id, member_id, 'STATUS', 'EARN', 'ISSUED', points,
           'purchase:' || source || ':' || number || ':status', pid, '', jsonb_build_object('entry', eid), purchased_at,
           now
    FROM c
), cl AS (
    INSERT INTO members_pointslot (entry_id, account_id, member_id, granted, remaining, available_from, notice_due)
    SELECT status_eid, account_id, member_id, points, points, available_from, false FROM c
), cu AS (
    UPDATE members_pointsaccount t SET balance = t.balance + s.points
    FROM (SELECT account_id, sum(points) AS points FROM c GROUP BY account_id) s WHERE t.id = s.account_id
)"""

_USE_COUNTERS = """, w AS (
    UPDATE members_counter t SET used = t.used + s.points
    FROM (SELECT x.name, x.member_id, x.period, sum(x.points) AS points
          FROM jsonb_to_recordset({uses}) AS x(name text, member_id bigint, period date, points bigint)
          GROUP BY x.name, x.member_id, x.period) s
    WHERE t.name = s.name AND t.member_id = s.member_id AND t.period = s.period
)"""


class _Numbered:
    """The parameters of one statement, numbered in the order in which ``award_columns`` gives them."""

    def __init__(self) -> None:
        self.count = 0

    def values(self, columns: Sequence[Column]) -> list[str]:
        """Return each as the value that it is."""
        first, self.count = self.count + 1, self.count + len(columns)
        return [f"${number}::{column.type}" for number, column in enumerate(columns, first)]

    def arrays(self, columns: Sequence[Column]) -> list[str]:
        """Return each as the rows of an array."""
        return [
            f"jsonb_array_elements({value})" if value.endswith("::jsonb") else f"unnest({value}[])"
            for value in self.values(columns)
        ]


def _rows(arrays: Sequence[str], columns: Sequence[Column], name: str) -> str:
    """Return arrays side by side as a table whose last column counts from 1."""
    names = [*[column.name for column in columns], "position"]
    return f"ROWS FROM ({', '.join(arrays)}) WITH ORDINALITY AS {name}({', '.join(names)})"


def _award_one(*, status: bool) -> str:
    """Return the statement for one award, with or without status points."""
    numbered = _Numbered()
    columns = AWARD_COLUMNS + (STATUS_COLUMNS if status else ())
    values = numbered.values(columns)
    by_name = {column.name: value for column, value in zip(columns, values, strict=True)}
    values = [f"{value} AS {name}" for name, value in by_name.items()]
    parts = [f"CROSS JOIN {_rows(numbered.arrays(columns), columns, 'y')}" for columns in (LINE_COLUMNS, LOT_COLUMNS)]
    return _on_one_line(
        n=_ONE_NEW.format(values=", ".join(values), **by_name),
        a=_ONE_ACCOUNT,
        account="CROSS JOIN a",
        lines=parts[0],
        lots=parts[1],
        in_order="",
        status=_GIVE_STATUS if status else "",
        is_sound=_ONE_IS_SOUND,
    )


def _award_many(*, status: bool, reserved: bool = False, capped: bool = False) -> str:
    """Return the statement for many awards; ``reserved`` are those whose keys are taken and accounts locked."""
    numbered = _Numbered()
    columns = AWARD_COLUMNS + (STATUS_COLUMNS if status else ())
    arrays = numbered.arrays(columns)
    parts = []
    for mine in ((PLACE, *LINE_COLUMNS), (PLACE, *LOT_COLUMNS)):
        rows = _rows(numbered.arrays(mine), mine, "y")
        parts.append(f"JOIN {rows} ON y.place = n.position ORDER BY y.position")
    if reserved:
        columns, arrays = columns + RESERVED_COLUMNS, arrays + numbered.arrays(RESERVED_COLUMNS)
    new = _MANY_NEW.format(
        ids=_IDS_TAKEN if reserved else _NEW_IDS,
        rows=_rows(arrays, columns, "x"),
        keys=_KEYS_TAKEN if reserved else _TAKE_KEYS,
    )
    accounts = _MANY_ACCOUNTS.format(
        less_paid=", debt = t.debt - s.paid" if reserved else "",
        paid=", sum(paid) AS paid" if reserved else "",
    )
    return _on_one_line(
        n=new,
        a=accounts,
        account="JOIN a USING (member_id)",
        lines=parts[0],
        lots=parts[1],
        in_order="ORDER BY eid",
        debts=_PAY_DEBTS if reserved else "",
        returning="RETURNING id, entry_id, granted - remaining AS paid" if reserved else "",
        status=_GIVE_STATUS if status else "",
        counters=_USE_COUNTERS.format(uses=f"${numbered.count + 1}::jsonb") if capped else "",
        is_sound=_MANY_ARE_SOUND.format(without_debt="" if reserved else " WHERE a.debt = 0"),
    )


def _on_one_line(*, debts: str = "", returning: str = "", counters: str = "", **parts: str) -> str:
    return " ".join(_AWARD.format(debts=debts, returning=returning, counters=counters, **parts).split())


AWARD = _award_many(status=False)
AWARD_ONE = _award_one(status=False)
AWARD_WITH_STATUS = _award_many(status=True)
AWARD_ONE_WITH_STATUS = _award_one(status=True)
AWARD_LOCKED = _award_many(status=True, reserved=True)
AWARD_CAPPED = _award_many(status=True, reserved=True, capped=True)

# Takes the keys that are free and locks the accounts of their members, in the one order; the debt is read from the
# locked rows themselves, so it is what the holders of the lock before us have left.
RESERVE = """
WITH i AS MATERIALIZED (
    SELECT x.source, x.number, x.content_hash, x.member_id,
           nextval('members_purchase_id_seq') AS pid, nextval('members_pointsentry_id_seq') AS eid
    FROM jsonb_to_recordset($1::jsonb) AS x(source text, number text, content_hash text, member_id bigint)
), k AS (
    INSERT INTO members_purchasekey (source, number, document, document_id, content_hash)
    SELECT source, number, 'PURCHASE', pid, content_hash FROM i ORDER BY source, number, pid
    ON CONFLICT (source, number) DO NOTHING RETURNING document_id
), n AS MATERIALIZED (
    SELECT i.* FROM i JOIN k ON k.document_id = i.pid
), a AS MATERIALIZED (
    SELECT t.member_id, t.debt FROM members_pointsaccount t
    WHERE t.point_type = 'SPENDABLE' AND t.member_id = ANY (ARRAY(SELECT member_id FROM n))
    ORDER BY t.id FOR NO KEY UPDATE
)
SELECT n.source, n.number, n.pid, n.eid, n.member_id, a.debt FROM n LEFT JOIN a USING (member_id)
"""

# Makes the missing counters and locks all of them, in one order, before it reads them.
LOCK_COUNTERS = """
INSERT INTO members_counter (name, member_id, period, used)
SELECT x.name, x.member_id, x.period, 0
FROM jsonb_to_recordset($1::jsonb) AS x(name text, member_id bigint, period date)
ORDER BY x.name, x.member_id, x.period
ON CONFLICT (name, member_id, period) DO UPDATE SET used = members_counter.used
RETURNING name, member_id, period::text, used
"""

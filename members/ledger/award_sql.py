"""The award as PostgreSQL statements. Their parameter is the awards as a JSON array."""

# {keys} is how a document's key is taken; {due} says whether an account that owes points may be used; {debts},
# {status} and {counters} are steps that most awards do not need: each costs time even when it finds nothing to do.
# An account that is missing, or owes points nobody reckoned with, divides by zero: nothing is written then.
_AWARD = """
WITH i AS MATERIALIZED (
    SELECT x.*, clock_timestamp() AS now,
           coalesce(x.purchase_id, nextval('members_purchase_id_seq')) AS pid,
           coalesce(x.entry_id, nextval('members_pointsentry_id_seq')) AS eid
    FROM json_to_recordset(%s::json) AS x(
        source text, number text, content_hash text, member_id bigint, store_id bigint, purchased_at timestamptz,
        currency text, amount bigint, origin text, backfilled boolean, lines json, points bigint, breakdown jsonb,
        lots json, status_points bigint, shipping bigint, points_paid bigint, gift_card_paid bigint, invoice text,
        buyer_tax_id text, purchase_id bigint, entry_id bigint, paid bigint)
    {limit}
), k AS ({keys}
), n AS MATERIALIZED (
    SELECT i.* FROM i JOIN k ON k.document_id = i.pid
), a AS MATERIALIZED (
    SELECT t.id, t.member_id, t.debt FROM members_pointsaccount t
    WHERE t.point_type = 'SPENDABLE' AND t.member_id = ANY (ARRAY(SELECT member_id FROM n))
    ORDER BY t.id FOR NO KEY UPDATE
), p AS (
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
    FROM n CROSS JOIN LATERAL ROWS FROM (json_to_recordset(n.lines) AS (
        sku text, description text, category text, brand text, quantity integer, amount bigint, tax bigint,
        discount bigint)) WITH ORDINALITY
        AS y(sku, description, category, brand, quantity, amount, tax, discount, place)
    ORDER BY n.pid, y.place
), e AS (
    INSERT INTO members_pointsentry
        (id, account_id, member_id, point_type, kind, contra, points, key, purchase_id, reason, breakdown, occurred_at,
         recorded_at)
    SELECT n.eid, a.id, n.member_id, 'SPENDABLE', 'EARN', 'ISSUED', n.points,
           'purchase:' || n.source || ':' || n.number, n.pid, '', n.breakdown, n.purchased_at, n.now
    FROM n JOIN a USING (member_id)
), l AS (
    INSERT INTO members_pointslot
        (entry_id, account_id, member_id, granted, remaining, available_from, expires_at, notice_due)
    SELECT n.eid, a.id, n.member_id, y.points, y.points - coalesce(y.paid, 0), y.available_from, y.expires_at,
           coalesce(y.notice_due, false)
    FROM n JOIN a USING (member_id) CROSS JOIN LATERAL ROWS FROM (json_to_recordset(n.lots) AS (
        points bigint, paid bigint, available_from timestamptz, expires_at timestamptz, notice_due boolean))
        WITH ORDINALITY AS y(points, paid, available_from, expires_at, notice_due, place)
    ORDER BY n.eid, y.place
    {returning}
){debts}{status}, v AS (
    INSERT INTO members_event (kind, member_id, occurred_at, recorded_at, data, backfilled)
    SELECT 'purchase.recorded', member_id, purchased_at, now, jsonb_build_object(
        'purchase', pid, 'entry', eid, 'amount', amount, 'currency', currency, 'points', points), backfilled
    FROM n ORDER BY eid
), u AS (
    UPDATE members_pointsaccount t SET balance = t.balance + s.points, debt = t.debt - s.paid
    FROM (SELECT member_id, sum(points) AS points, sum(coalesce(paid, 0)) AS paid FROM n GROUP BY member_id) s
         JOIN a USING (member_id)
    WHERE t.id = a.id
){counters}
SELECT n.source, n.number, n.pid, n.eid,
       1 / (CASE WHEN (SELECT count(*) FROM a WHERE {due}) = (SELECT count(DISTINCT member_id) FROM n)
            THEN 1 ELSE 0 END)
FROM n
"""

_PAY_DEBTS = """, d AS (
    INSERT INTO members_lotuse (entry_id, lot_id, points) SELECT entry_id, id, paid FROM l WHERE paid > 0
)"""

# Status points: never spent, never owed, so their account needs no lock of its own.
_GIVE_STATUS = """, c AS MATERIALIZED (
    SELECT n.eid, n.pid, n.source, n.number, n.purchased_at, n.now, n.member_id, n.status_points AS points,
           CASE WHEN json_array_length(n.lots) = 0 THEN n.purchased_at
                ELSE (n.lots -> 0 ->> 'available_from')::timestamptz END AS available_from,
           t.id AS account_id, nextval('members_pointsentry_id_seq') AS status_eid
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

_TAKE_KEYS = """
    INSERT INTO members_purchasekey (source, number, document, document_id, content_hash)
    SELECT source, number, 'PURCHASE', pid, content_hash FROM i ORDER BY source, number, pid
    ON CONFLICT (source, number) DO NOTHING RETURNING document_id"""

_USE_COUNTERS = """, w AS (
    UPDATE members_counter t SET used = t.used + s.points
    FROM (SELECT x.name, x.member_id, x.period, sum(x.points) AS points
          FROM jsonb_to_recordset(%s::jsonb) AS x(name text, member_id bigint, period date, points bigint)
          GROUP BY x.name, x.member_id, x.period) s
    WHERE t.name = s.name AND t.member_id = s.member_id AND t.period = s.period
)"""

_KEYS_TAKEN = "SELECT pid AS document_id FROM i"


def _award(*, keys: str, due: str, limit: str = "", debts: str = "", status: str = "", counters: str = "") -> str:
    """Return a statement of these steps on one line: psycopg remembers statements of up to 4,096 characters."""
    returning = "RETURNING id, entry_id, granted - remaining AS paid" if debts else ""
    whole = _AWARD.format(
        keys=keys, due=due, limit=limit, debts=debts, status=status, counters=counters, returning=returning
    )
    return " ".join(whole.split())


# For a single award: told that there is one row, the planner looks the account up by its key.
_ONE_ROW = "LIMIT 1"

AWARD = _award(keys=_TAKE_KEYS, due="a.debt = 0")
AWARD_ONE = _award(keys=_TAKE_KEYS, due="a.debt = 0", limit=_ONE_ROW)
AWARD_WITH_STATUS = _award(keys=_TAKE_KEYS, due="a.debt = 0", status=_GIVE_STATUS)
AWARD_ONE_WITH_STATUS = _award(keys=_TAKE_KEYS, due="a.debt = 0", limit=_ONE_ROW, status=_GIVE_STATUS)
AWARD_LOCKED = _award(keys=_KEYS_TAKEN, due="TRUE", debts=_PAY_DEBTS, status=_GIVE_STATUS)
AWARD_CAPPED = _award(keys=_KEYS_TAKEN, due="TRUE", debts=_PAY_DEBTS, status=_GIVE_STATUS, counters=_USE_COUNTERS)

# Takes the keys that are free and locks the accounts of their members, in the one order; the debt is read from the
# locked rows themselves, so it is what the holders of the lock before us have left.
RESERVE = """
WITH i AS MATERIALIZED (
    SELECT x.source, x.number, x.content_hash, x.member_id,
           nextval('members_purchase_id_seq') AS pid, nextval('members_pointsentry_id_seq') AS eid
    FROM jsonb_to_recordset(%s::jsonb) AS x(source text, number text, content_hash text, member_id bigint)
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
FROM jsonb_to_recordset(%s::jsonb) AS x(name text, member_id bigint, period date)
ORDER BY x.name, x.member_id, x.period
ON CONFLICT (name, member_id, period) DO UPDATE SET used = members_counter.used
RETURNING name, member_id, period::text, used
"""

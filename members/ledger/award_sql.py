"""The award as PostgreSQL statements. One parameter: the awards as a JSON array."""

# {keys} is how a document's key is taken; {due} says whether an account that owes points may be used.
_AWARD = """
WITH i AS MATERIALIZED (
    SELECT x.*, clock_timestamp() AS now,
           coalesce(x.purchase_id, nextval('members_purchase_id_seq')) AS pid,
           coalesce(x.entry_id, nextval('members_pointsentry_id_seq')) AS eid
    FROM jsonb_to_recordset(%s::jsonb) AS x(
        source text, number text, content_hash text, member_id bigint, store_id bigint, purchased_at timestamptz,
        currency text, amount bigint, origin text, backfilled boolean, lines jsonb, points bigint, breakdown jsonb,
        available_from timestamptz, expires_at timestamptz, purchase_id bigint, entry_id bigint, paid bigint)
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
        (id, source, number, member_id, store_id, purchased_at, recorded_at, currency, amount, origin)
    SELECT pid, source, number, member_id, store_id, purchased_at, now, currency, amount, origin FROM n
), g AS (
    INSERT INTO members_purchaseline (purchase_id, member_id, sku, description, category, quantity, amount)
    SELECT n.pid, n.member_id, y.sku, y.description, y.category, y.quantity, y.amount
    FROM n CROSS JOIN LATERAL ROWS FROM (jsonb_to_recordset(n.lines) AS (
        sku text, description text, category text, quantity integer, amount bigint)) WITH ORDINALITY
        AS y(sku, description, category, quantity, amount, place)
    ORDER BY n.pid, y.place
), e AS (
    INSERT INTO members_pointsentry
        (id, account_id, member_id, kind, contra, points, key, purchase_id, reason, breakdown, occurred_at, recorded_at)
    SELECT n.eid, a.id, n.member_id, 'EARN', 'ISSUED', n.points, 'purchase:' || n.source || ':' || n.number, n.pid, '',
           n.breakdown, n.purchased_at, n.now
    FROM n JOIN a USING (member_id)
), l AS (
    INSERT INTO members_pointslot (entry_id, account_id, member_id, granted, remaining, available_from, expires_at)
    SELECT n.eid, a.id, n.member_id, n.points, n.points - coalesce(n.paid, 0), n.available_from, n.expires_at
    FROM n JOIN a USING (member_id) WHERE n.points > 0
    RETURNING id, entry_id, granted - remaining AS paid
), d AS (
    INSERT INTO members_lotuse (entry_id, lot_id, points) SELECT entry_id, id, paid FROM l WHERE paid > 0
), v AS (
    INSERT INTO members_event (kind, member_id, occurred_at, recorded_at, data, backfilled)
    SELECT 'purchase.recorded', member_id, purchased_at, now, jsonb_build_object(
        'purchase', pid, 'entry', eid, 'amount', amount, 'currency', currency, 'points', points), backfilled
    FROM n ORDER BY eid
), u AS (
    UPDATE members_pointsaccount t SET balance = t.balance + s.points, debt = t.debt - s.paid
    FROM (SELECT member_id, sum(points) AS points, sum(coalesce(paid, 0)) AS paid FROM n GROUP BY member_id) s
         JOIN a USING (member_id)
    WHERE t.id = a.id
)
-- An account that is missing, or owes points nobody reckoned with, divides by zero: nothing is written then.
SELECT n.source, n.number, n.pid, n.eid,
       1 / (CASE WHEN (SELECT count(*) FROM a WHERE {due}) = (SELECT count(DISTINCT member_id) FROM n)
            THEN 1 ELSE 0 END)
FROM n
"""

_TAKE_KEYS = """
    INSERT INTO members_purchasekey (source, number, document, document_id, content_hash)
    SELECT source, number, 'PURCHASE', pid, content_hash FROM i ORDER BY source, number, pid
    ON CONFLICT (source, number) DO NOTHING RETURNING document_id"""

AWARD = _AWARD.format(keys=_TAKE_KEYS, due="a.debt = 0", limit="")

# For a single award: told that there is one row, the planner looks the account up by its key.
AWARD_ONE = _AWARD.format(keys=_TAKE_KEYS, due="a.debt = 0", limit="LIMIT 1")

AWARD_LOCKED = _AWARD.format(keys="\n    SELECT pid AS document_id FROM i", due="TRUE", limit="")

RESERVE = """
WITH i AS MATERIALIZED (
    SELECT x.source, x.number, x.content_hash,
           nextval('members_purchase_id_seq') AS pid, nextval('members_pointsentry_id_seq') AS eid
    FROM jsonb_to_recordset(%s::jsonb) AS x(source text, number text, content_hash text)
), k AS (
    INSERT INTO members_purchasekey (source, number, document, document_id, content_hash)
    SELECT source, number, 'PURCHASE', pid, content_hash FROM i ORDER BY source, number, pid
    ON CONFLICT (source, number) DO NOTHING RETURNING document_id
)
SELECT i.source, i.number, i.pid, i.eid FROM i JOIN k ON k.document_id = i.pid
"""

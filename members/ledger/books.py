"""The books of the ledger, law by law: balances, lots, credits, debits, transfers, holds, changes of lots."""

from collections.abc import Iterator

from members.ledger.audit import check, rows


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
    """New lots and what was put back into old ones make up the points of a credit."""
    query = """
        SELECT e.id, e.points, coalesce(l.granted, 0), coalesce(u.back, 0) FROM members_pointsentry e
        LEFT JOIN (SELECT entry_id, sum(granted) AS granted FROM members_pointslot GROUP BY entry_id) l
               ON l.entry_id = e.id
        LEFT JOIN (SELECT entry_id, -sum(points) AS back FROM members_lotuse WHERE points < 0 GROUP BY entry_id) u
               ON u.entry_id = e.id
        WHERE (e.points > 0 AND coalesce(l.granted, 0) + coalesce(u.back, 0) <> e.points)
           OR (e.points <= 0 AND (l.granted IS NOT NULL OR u.back IS NOT NULL))
           OR (u.back IS NOT NULL AND e.kind NOT IN ('REFUND', 'RELEASE', 'CAPTURE'))
    """
    for entry, points, granted, back in rows(query):
        yield f"entry {entry}: {points} points, lots of {granted}, put back {back}"


@check("debits")
def _debits() -> Iterator[str]:
    """What lots gave and what became a debt make up the points of a debit."""
    query = """
        SELECT e.id, e.points, coalesce(sum(u.points), 0), coalesce(max(cast(e.breakdown ->> 'debt' AS bigint)), 0)
        FROM members_pointsentry e LEFT JOIN members_lotuse u ON u.entry_id = e.id
        WHERE e.points <= 0 AND e.kind <> 'EARN'
        GROUP BY e.id, e.points
        HAVING e.points <> -coalesce(sum(u.points), 0) - coalesce(max(cast(e.breakdown ->> 'debt' AS bigint)), 0)
    """
    for entry, points, used, debt in rows(query):
        yield f"entry {entry}: {points} points, lots gave {used}, owed {debt}"


@check("given back")
def _given_back() -> Iterator[str]:
    """Refunds give back at most what was redeemed, from each lot at most what it gave."""
    query = """
        SELECT s.id, s.points, sum(r.points) FROM members_pointsentry r
        JOIN members_pointsentry s ON s.id = r.related_id
        WHERE r.kind = 'REFUND' GROUP BY s.id, s.points HAVING sum(r.points) > -s.points
        UNION ALL
        SELECT s.id, s.points, sum(u.points) FROM members_pointsentry s
        JOIN members_pointsentry r ON r.related_id = s.id AND r.kind IN ('REFUND', 'RELEASE', 'CAPTURE')
        JOIN members_lotuse u ON u.entry_id = r.id AND u.points < 0
        WHERE s.kind IN ('REDEEM', 'HOLD')
        GROUP BY s.id, s.points, u.lot_id
        HAVING -sum(u.points) > (SELECT coalesce(sum(g.points), 0) FROM members_lotuse g
                                 WHERE g.entry_id = s.id AND g.lot_id = u.lot_id)
    """
    for entry, points, back in rows(query):
        yield f"entry {entry}: {points} points, given back {back}"


@check("transfers")
def _transfers() -> Iterator[str]:
    """Each debit of a transfer has one credit of another account that names it; the two sum to zero."""
    query = """
        SELECT d.id, d.points, count(c.id), coalesce(sum(c.points), 0) FROM members_pointsentry d
        LEFT JOIN members_pointsentry c ON c.related_id = d.id AND c.kind = 'TRANSFER' AND c.points > 0
             AND c.account_id <> d.account_id AND c.point_type = d.point_type
        WHERE d.kind = 'TRANSFER' AND d.points < 0
        GROUP BY d.id, d.points HAVING count(c.id) <> 1 OR sum(c.points) <> -d.points
        UNION ALL
        SELECT c.id, c.points, 0, 0 FROM members_pointsentry c
        LEFT JOIN members_pointsentry d ON d.id = c.related_id AND d.kind = 'TRANSFER' AND d.points < 0
        WHERE c.kind = 'TRANSFER' AND c.points >= 0 AND d.id IS NULL
    """
    for entry, points, others, sum_of_others in rows(query):
        yield f"entry {entry}: {points} points transferred, {others} answers of {sum_of_others}"


@check("holds")
def _holds() -> Iterator[str]:
    """A hold is its entry; an open one is whole; a settled one was captured and released to the last point."""
    query = """
        SELECT e.id, e.points, coalesce(h.state, 'without a hold'), coalesce(h.captured, 0), coalesce(b.back, 0)
        FROM members_pointsentry e
        LEFT JOIN members_hold h ON h.entry_id = e.id
        LEFT JOIN members_pointsentry r ON r.id = h.capture_entry_id
        LEFT JOIN (SELECT related_id, sum(points) AS back,
                          sum(CASE WHEN kind = 'CAPTURE' THEN points ELSE 0 END) AS captured
                   FROM members_pointsentry WHERE kind IN ('CAPTURE', 'RELEASE') GROUP BY related_id) b
               ON b.related_id = e.id
        WHERE e.kind = 'HOLD'
          AND (h.id IS NULL OR h.points <> -e.points OR h.account_id <> e.account_id OR h.captured > h.points
               OR coalesce(b.back, 0) <> CASE WHEN h.state = 'HELD' THEN 0 ELSE h.points END
               OR coalesce(b.captured, 0) <> h.captured OR (h.captured > 0) <> (h.state = 'CAPTURED')
               OR (h.captured > 0 AND (r.id IS NULL OR r.kind <> 'REDEEM' OR r.points <> -h.captured)))
        UNION ALL
        SELECT h.entry_id, h.points, h.state, h.captured, 0 FROM members_hold h
        LEFT JOIN members_pointsentry e ON e.id = h.entry_id AND e.kind = 'HOLD' WHERE e.id IS NULL
        UNION ALL
        SELECT r.id, r.points, 'answers no hold', 0, 0 FROM members_pointsentry r
        LEFT JOIN members_pointsentry e ON e.id = r.related_id AND e.kind = 'HOLD'
        WHERE r.kind IN ('CAPTURE', 'RELEASE') AND e.id IS NULL
    """
    for entry, points, state, captured, back in rows(query):
        yield f"hold of entry {entry}: {points} points, {state}, captured {captured}, came back {back}"


@check("changes of lots")
def _lot_changes() -> Iterator[str]:
    """Each recorded change of a lot's dates begins where the one before ended; the last ends in the lot's dates."""
    query = """
        SELECT lot_id FROM (
            SELECT c.lot_id, c.new_available_from AS available_from, c.new_expires_at AS expires_at,
                   c.new_notice_due AS notice_due,
                   CASE WHEN lead(c.id) OVER chain IS NULL THEN l.available_from
                        ELSE lead(c.old_available_from) OVER chain END AS next_available_from,
                   CASE WHEN lead(c.id) OVER chain IS NULL THEN l.expires_at
                        ELSE lead(c.old_expires_at) OVER chain END AS next_expires_at,
                   CASE WHEN lead(c.id) OVER chain IS NULL THEN l.notice_due
                        ELSE lead(c.old_notice_due) OVER chain END AS next_notice_due
            FROM members_lotchange c JOIN members_pointslot l ON l.id = c.lot_id
            WINDOW chain AS (PARTITION BY c.lot_id ORDER BY c.id)
        ) x
        WHERE coalesce(cast(available_from AS text), '') <> coalesce(cast(next_available_from AS text), '')
           OR coalesce(cast(expires_at AS text), '') <> coalesce(cast(next_expires_at AS text), '')
           OR notice_due <> next_notice_due
    """
    for (lot,) in rows(query):
        yield f"lot {lot}: its dates are not what its changes say"


@check("programme")
def _programme() -> Iterator[str]:
    """Balances = issued − redeemed − held − expired ± adjusted − reversed; what is held is held by open holds."""
    balances = rows("SELECT coalesce(sum(balance), 0) FROM members_pointsaccount")[0][0]
    by_account = dict(rows("SELECT contra, sum(points) FROM members_pointsentry GROUP BY contra"))
    if balances != sum(by_account.values()):
        yield f"balances {balances}, programme accounts {by_account}"
    held = rows("SELECT coalesce(sum(points), 0) FROM members_hold WHERE state = 'HELD'")[0][0]
    if held != -by_account.get("HELD", 0):
        yield f"open holds {held}, programme account {by_account.get('HELD', 0)}"
    if by_account.get("TRANSFERRED", 0) != 0:
        yield f"transfers sum to {by_account['TRANSFERRED']}"

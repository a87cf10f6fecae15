"""The check of the books of rewards: redemptions against entries both ways, stock and movements, codes."""

from collections.abc import Iterator

from members.ledger.audit import check, rows


@check("redemptions")
def redemptions() -> Iterator[str]:
    """Every redemption has its entry with the same member and points."""
    query = """
        SELECT r.public_id, r.points, e.points FROM rewards_redemption r
        LEFT JOIN members_pointsentry e ON e.id = r.entry_id
        WHERE e.id IS NULL OR e.kind <> 'REDEEM' OR e.points <> -r.points OR e.member_id <> r.member_id
    """
    for public_id, points, entry in rows(query):
        yield f"{public_id}: {points} points, entry {entry}"


@check("redeem entries")
def redeem_entries() -> Iterator[str]:
    """Every entry that spent points for a reward has its redemption; the others used a hold."""
    query = """
        SELECT e.id, e.points FROM members_pointsentry e
        LEFT JOIN rewards_redemption r ON r.entry_id = e.id
        LEFT JOIN members_hold h ON h.capture_entry_id = e.id
        WHERE e.kind = 'REDEEM' AND r.id IS NULL AND h.id IS NULL
    """
    for entry, points in rows(query):
        yield f"entry {entry}: {points} points without a redemption"


@check("refunds")
def refunds() -> Iterator[str]:
    """Cancelled redemptions, and no others, have exactly one refund of all their points."""
    query = """
        SELECT r.public_id, r.state, count(e.id), coalesce(sum(e.points), 0) FROM rewards_redemption r
        LEFT JOIN members_pointsentry e ON e.related_id = r.entry_id AND e.kind = 'REFUND'
        GROUP BY r.id, r.public_id, r.state, r.points
        HAVING (r.state = 'CANCELLED' AND (count(e.id) <> 1 OR sum(e.points) <> r.points))
            OR (r.state <> 'CANCELLED' AND count(e.id) > 0)
    """
    for public_id, state, entries, points in rows(query):
        yield f"{public_id}: {state} with {entries} refunds of {points} points"


@check("refund entries")
def refund_entries() -> Iterator[str]:
    """Every refund entry belongs to a cancelled redemption or to a hold that was used."""
    query = """
        SELECT e.id, e.points FROM members_pointsentry e
        LEFT JOIN rewards_redemption r ON r.entry_id = e.related_id
        LEFT JOIN members_hold h ON h.capture_entry_id = e.related_id
        WHERE e.kind = 'REFUND' AND r.id IS NULL AND h.id IS NULL
    """
    for entry, points in rows(query):
        yield f"entry {entry}: {points} points given back for no redemption"


@check("stock")
def stock() -> Iterator[str]:
    """What is left is the sum of the movements, and never below zero."""
    query = """
        SELECT w.id, s.on_hand, coalesce(m.total, 0) FROM rewards_reward w
        LEFT JOIN rewards_rewardstock s ON s.reward_id = w.id
        LEFT JOIN (SELECT reward_id, sum(quantity) AS total FROM rewards_stockmovement GROUP BY reward_id) m
               ON m.reward_id = w.id
        WHERE coalesce(s.on_hand, 0) <> coalesce(m.total, 0) OR s.on_hand < 0
    """
    for reward, on_hand, moved in rows(query):
        yield f"reward {reward}: {on_hand} left, movements {moved}"


@check("stock of redemptions")
def stock_of_redemptions() -> Iterator[str]:
    """A piece that a redemption took came back if and only if it was cancelled; both are of its reward."""
    query = """
        SELECT r.public_id, r.state, sum(m.quantity), min(m.reward_id), max(m.reward_id), r.reward_id
        FROM rewards_redemption r JOIN rewards_stockmovement m ON m.redemption_id = r.id
        GROUP BY r.id, r.public_id, r.state, r.reward_id
        HAVING sum(m.quantity) <> CASE WHEN r.state = 'CANCELLED' THEN 0 ELSE -1 END
            OR min(m.reward_id) <> r.reward_id OR max(m.reward_id) <> r.reward_id
    """
    for public_id, state, moved, *_rewards in rows(query):
        yield f"{public_id}: {state}, moved {moved}"


@check("oversold")
def oversold() -> Iterator[str]:
    """Never more pieces are with members than were ever added."""
    query = """
        SELECT reward_id,
               sum(CASE WHEN kind = 'ADDED' THEN quantity ELSE 0 END) AS added,
               -sum(CASE WHEN kind IN ('TAKEN', 'RETURNED') THEN quantity ELSE 0 END) AS held
        FROM rewards_stockmovement GROUP BY reward_id
        HAVING -sum(CASE WHEN kind IN ('TAKEN', 'RETURNED') THEN quantity ELSE 0 END)
             > sum(CASE WHEN kind = 'ADDED' THEN quantity ELSE 0 END)
    """
    for reward, added, held in rows(query):
        yield f"reward {reward}: {held} with members, {added} ever added"


@check("codes")
def codes() -> Iterator[str]:
    """A given code has exactly one redemption that shows it; a free one has none."""
    query = """
        SELECT c.id, c.state, count(r.id) FROM rewards_code c
        LEFT JOIN rewards_redemption r ON r.pool_code_id = c.id
        GROUP BY c.id, c.state, c.code, c.reward_id
        HAVING count(r.id) <> CASE WHEN c.state = 'GIVEN' THEN 1 ELSE 0 END
            OR min(r.code) <> c.code OR min(r.reward_id) <> c.reward_id
    """
    for code, state, owners in rows(query):
        yield f"code {code}: {state} with {owners} redemptions or another reward's"


@check("codes twice")
def codes_twice() -> Iterator[str]:
    """No code stands on two redemptions, nor on one that did not draw it while it lies in a pool."""
    query = """
        SELECT min(r.public_id), count(*) FROM rewards_redemption r WHERE r.code <> ''
        GROUP BY r.code HAVING count(*) > 1
        UNION ALL
        SELECT r.public_id, 1 FROM rewards_redemption r
        JOIN rewards_code c ON c.code = r.code WHERE r.pool_code_id IS NULL OR r.pool_code_id <> c.id
    """
    for public_id, times in rows(query):
        yield f"{public_id}: its code was given {times} times or lies in a pool"

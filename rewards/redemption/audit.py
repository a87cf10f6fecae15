"""The check of the books of rewards: redemptions against entries both ways, stock and movements, codes."""

from collections.abc import Iterator

from members.ledger.audit import check, rows


@check("redemptions")
def redemptions() -> Iterator[str]:
    """Paid with points: its entry has the same member and points. Held: the open hold has. Given: there is neither."""
    query = """
        SELECT r.public_id, r.state, r.points, e.points, h.points, h.state FROM rewards_redemption r
        LEFT JOIN members_pointsentry e ON e.id = r.entry_id
        LEFT JOIN members_hold h ON h.id = r.hold_id
        WHERE (r.points = 0 AND (r.entry_id IS NOT NULL OR r.hold_id IS NOT NULL))
           OR (r.points > 0 AND r.state NOT IN ('HELD', 'RELEASED')
               AND (e.id IS NULL OR e.kind <> 'REDEEM' OR e.points <> -r.points OR e.member_id <> r.member_id))
           OR (r.state IN ('HELD', 'RELEASED')
               AND (r.entry_id IS NOT NULL OR h.id IS NULL OR h.points <> r.points OR h.member_id <> r.member_id))
    """
    for public_id, state, points, entry, held, _hold_state in rows(query):
        yield f"{public_id}: {state}, {points} points, entry {entry}, hold {held}"


@check("held redemptions")
def held_redemptions() -> Iterator[str]:
    """A redemption waits while its hold is open, is released when that gave all back, else its entry used the hold.

    A hold that ran out may be back before the redemption is: then its time to pay is over as well.
    """
    query = """
        SELECT r.public_id, r.state, h.state FROM rewards_redemption r JOIN members_hold h ON h.id = r.hold_id
        WHERE CASE r.state
            WHEN 'HELD' THEN h.state NOT IN ('HELD', 'EXPIRED') OR h.expires_at <> r.held_until
            WHEN 'RELEASED' THEN h.state NOT IN ('RELEASED', 'EXPIRED')
            ELSE h.state <> 'CAPTURED' OR h.capture_entry_id <> r.entry_id END
    """
    for public_id, state, held in rows(query):
        yield f"{public_id}: {state} with a hold that is {held}"


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
    """What a redemption says was given back is the sum of its refunds: all of it exactly when it was taken back."""
    query = """
        SELECT r.public_id, r.state, r.refunded_points, coalesce(sum(e.points), 0) FROM rewards_redemption r
        LEFT JOIN members_pointsentry e ON e.related_id = r.entry_id AND e.kind = 'REFUND'
        GROUP BY r.id, r.public_id, r.state, r.points, r.refunded_points
        HAVING CASE WHEN r.state = 'RELEASED' THEN count(e.id) > 0
                    ELSE coalesce(sum(e.points), 0) <> r.refunded_points END
            OR (r.state IN ('CANCELLED', 'REFUNDED', 'RELEASED') AND r.refunded_points <> r.points)
            OR (r.state NOT IN ('CANCELLED', 'REFUNDED', 'RELEASED') AND r.points > 0
                AND r.refunded_points >= r.points)
    """
    for public_id, state, told, points in rows(query):
        yield f"{public_id}: {state}, {told} points given back, refunds of {points}"


@check("refund entries")
def refund_entries() -> Iterator[str]:
    """Every refund entry belongs to a redemption or to a hold that was used."""
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
    """What is left of a reward in each place and part is the sum of its movements there, and never below zero."""
    query = """
        SELECT reward_id, store_id, slot, sum(on_hand), sum(moved) FROM (
            SELECT reward_id, store_id, slot, on_hand, 0 AS moved FROM rewards_rewardstock
            UNION ALL
            SELECT reward_id, store_id, slot, 0, quantity FROM rewards_stockmovement
        ) AS counted
        GROUP BY reward_id, store_id, slot HAVING sum(on_hand) <> sum(moved) OR sum(on_hand) < 0
    """
    for reward, store, slot, on_hand, moved in rows(query):
        yield f"reward {reward}, store {store}, part {slot}: {on_hand} left, movements {moved}"


@check("stock of redemptions")
def stock_of_redemptions() -> Iterator[str]:
    """A piece that a redemption took came back if it was cancelled or released, may have if it was refunded, else not.

    It went back to the row it came from; all is of the redemption's reward.
    """
    query = """
        SELECT r.public_id, r.state, sum(m.quantity)
        FROM rewards_redemption r JOIN rewards_stockmovement m ON m.redemption_id = r.id
        GROUP BY r.id, r.public_id, r.state, r.reward_id
        HAVING sum(m.quantity) NOT IN (CASE WHEN r.state IN ('CANCELLED', 'RELEASED') THEN 0 ELSE -1 END,
                                       CASE WHEN r.state IN ('CANCELLED', 'RELEASED', 'REFUNDED') THEN 0 ELSE -1 END)
            OR min(m.reward_id) <> r.reward_id OR max(m.reward_id) <> r.reward_id
            OR min(m.slot) <> max(m.slot) OR min(coalesce(m.store_id, 0)) <> max(coalesce(m.store_id, 0))
    """
    for public_id, state, moved in rows(query):
        yield f"{public_id}: {state}, moved {moved}"


@check("pieces of redemptions")
def pieces_of_redemptions() -> Iterator[str]:
    """Only a redemption takes and returns pieces, and each at most once."""
    query = """
        SELECT redemption_id, kind, count(*) FROM rewards_stockmovement WHERE kind IN ('TAKEN', 'RETURNED')
        GROUP BY redemption_id, kind HAVING redemption_id IS NULL OR count(*) > 1
    """
    for redemption, kind, times in rows(query):
        yield f"redemption {redemption}: {kind} {times} times"


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
    """A given code has one redemption that shows it; one set aside waits unseen for the money; others have none."""
    query = """
        SELECT c.id, c.state, count(r.id) FROM rewards_code c
        LEFT JOIN rewards_redemption r ON r.pool_code_id = c.id
        GROUP BY c.id, c.state, c.code, c.reward_id
        HAVING count(r.id) <> CASE WHEN c.state IN ('GIVEN', 'RESERVED') THEN 1 ELSE 0 END
            OR min(r.code) <> CASE WHEN c.state = 'RESERVED' THEN '' ELSE c.code END
            OR min(r.reward_id) <> c.reward_id
            OR (c.state = 'RESERVED') <> (coalesce(min(r.state), '') = 'HELD')
    """
    for code, state, owners in rows(query):
        yield f"code {code}: {state} with {owners} redemptions, another state or another reward's"


@check("shared codes")
def shared_codes() -> Iterator[str]:
    """A shared code was used as often as its members used it, within both limits."""
    query = """
        SELECT c.id, c.uses, coalesce(sum(u.uses), 0) FROM rewards_code c
        LEFT JOIN rewards_codeuse u ON u.code_id = c.id
        GROUP BY c.id, c.uses, c.uses_allowed, c.uses_per_member
        HAVING coalesce(sum(u.uses), 0) <> c.uses OR c.uses > c.uses_allowed OR max(u.uses) > c.uses_per_member
    """
    for code, uses, members in rows(query):
        yield f"code {code}: used {uses} times, by members {members}"


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

"""The check of the books of coupons: limits of giveaways, presents and holders."""

from collections.abc import Iterator

from members.ledger.audit import check, rows


@check("giveaways")
def giveaways() -> Iterator[str]:
    """A giveaway counts its claims, and each claim gave its reward."""
    query = """
        SELECT g.public_id, g.claimed, count(c.id) FROM rewards_giveaway g
        LEFT JOIN rewards_giveawayclaim c ON c.giveaway_id = g.id
        GROUP BY g.id, g.public_id, g.claimed HAVING count(c.id) <> g.claimed
    """
    for giveaway, claimed, claims in rows(query):
        yield f"giveaway {giveaway}: {claimed} claimed, {claims} claims"


@check("presents")
def presents() -> Iterator[str]:
    """Who took a present holds the coupon."""
    query = """
        SELECT p.id FROM rewards_present p JOIN rewards_redemption r ON r.id = p.redemption_id
        WHERE p.state = 'TAKEN' AND (r.holder_id IS NULL OR r.holder_id <> p.taker_id)
    """
    for (present,) in rows(query):
        yield f"present {present}: taken by somebody who does not hold it"

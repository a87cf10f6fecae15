"""The circuit breaker: an account whose books do not add up gives nothing away until they do; earning goes on.

An hourly job proves the books as the command ``audit`` does. What it blocks it opens again when the books are right.
"""

import logging
from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import Any

from members.events.audit_log import write_audit
from members.jobs.schedule import Turn, scheduled
from members.ledger.audit import find_problems_in_snapshot, rows
from members.ledger.models import PointsAccount
from members.ledger.movements import lock_accounts
from members.lib.clock import database_now
from members.lib.transactions import retried

logger = logging.getLogger(__name__)

CHUNK = 500

# An account's own books: entries, lots and what used them. {only} limits them to some accounts.
_WRONG = """
SELECT a.id FROM members_pointsaccount a
LEFT JOIN (SELECT account_id, sum(points) AS total FROM members_pointsentry {only} GROUP BY account_id) e
       ON e.account_id = a.id
LEFT JOIN (SELECT account_id, sum(remaining) AS total,
                  max(CASE WHEN remaining = granted - coalesce(used, 0) THEN 0 ELSE 1 END) AS wrong
           FROM members_pointslot
           LEFT JOIN (SELECT lot_id, sum(points) AS used FROM members_lotuse {of_lots} GROUP BY lot_id) u
                  ON u.lot_id = id {only} GROUP BY account_id) l
       ON l.account_id = a.id
WHERE {these} (a.balance <> coalesce(e.total, 0) OR a.balance <> coalesce(l.total, 0) - a.debt OR l.wrong = 1
               OR (a.debt > 0 AND l.total > 0))
ORDER BY a.id
"""


@dataclass(frozen=True)
class Reviewed:
    """What one review did: accounts that were blocked and opened again."""

    blocked: int
    opened: int


def review_accounts() -> Reviewed:
    """Block every account whose own books are wrong, open those that are right again; each change leaves an audit row.

    What looks wrong is checked again under the lock of its account, so that work going on is never taken for one.
    """
    suspects = set(_wrong_among(None)) | set(
        PointsAccount.objects.filter(blocked_at__isnull=False).values_list("pk", flat=True)
    )
    ordered = sorted(suspects)
    chunks = [_review(ordered[start : start + CHUNK]) for start in range(0, len(ordered), CHUNK)]
    return Reviewed(sum(chunk.blocked for chunk in chunks), sum(chunk.opened for chunk in chunks))


@retried
def _review(account_ids: list[int]) -> Reviewed:
    accounts = lock_accounts(account_ids)
    wrong = set(_wrong_among(account_ids))
    block = [pk for pk, account in accounts.items() if pk in wrong and account.blocked_at is None]
    reopen = [pk for pk, account in accounts.items() if pk not in wrong and account.blocked_at is not None]
    PointsAccount.objects.filter(pk__in=block).update(blocked_at=database_now())
    PointsAccount.objects.filter(pk__in=reopen).update(blocked_at=None)
    for action, changed in (("account.blocked", block), ("account.opened", reopen)):
        for pk in changed:
            write_audit(actor_id=None, action=action, target=f"account {pk}", reason="audit-books")
    return Reviewed(len(block), len(reopen))


def _wrong_among(account_ids: list[int] | None) -> list[int]:
    if account_ids is None:
        query = _WRONG.format(only="", of_lots="", these="")
    else:
        listed = ", ".join(map(str, account_ids))
        lots = f"WHERE lot_id IN (SELECT id FROM members_pointslot WHERE account_id IN ({listed}))"  # noqa: S608
        query = _WRONG.format(only=f"WHERE account_id IN ({listed})", of_lots=lots, these=f"a.id IN ({listed}) AND")
    return [pk for (pk,) in rows(query)]


@scheduled("audit-books", every=timedelta(hours=1))
def audit_books(turn: Turn) -> dict[str, Any]:
    """Prove the books once an hour, stop what does not add up, and raise the alarm in the log."""
    problems = find_problems_in_snapshot()
    reviewed = review_accounts()
    if problems or reviewed.blocked:
        logger.error("the books are wrong", extra={"problems": problems, **asdict(reviewed)})
    return {"problems": len(problems), "first": problems[:5], **asdict(reviewed)}

"""Issues: a reward for no points to a segment or to an uploaded list. Prepared and reported first, then given."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeVar

from django.db import connection
from django.db.models import Count, Q

from members.accounts.access import surviving_id
from members.accounts.models import Member, SegmentMembership
from members.events.audit_log import write_audit
from members.jobs.schedule import request_run
from members.ledger.locking import lock_accounts
from members.lib.clock import database_now
from members.lib.transactions import retried
from members.models import PointsAccount
from rewards.coupons.matching import members_in
from rewards.coupons.models import CouponIssue, IssueRecipient
from rewards.redemption.models import Redemption
from rewards.redemption.redeeming import NotAvailable, Source, give_reward

JOB = "coupon-issues"
MAX_LINES = 50_000
_AT_ONCE = 1000

State = CouponIssue.State
T = TypeVar("T")


class NobodyNamed(Exception):
    """The list or segment holds no open membership; nothing was prepared."""


class TooManyLines(Exception):
    """A list has at most MAX_LINES lines."""


class NotPrepared(Exception):
    """The issue was started or dropped before."""


class ReasonMissing(Exception):
    """Whoever gives coupons away says why."""


@dataclass
class Matched:
    """What a list says: members in the order of the lines, and the numbers of the other lines."""

    member_ids: list[int] = field(default_factory=list)
    unmatched: list[int] = field(default_factory=list)
    repeated: list[int] = field(default_factory=list)


@dataclass(frozen=True)
class Progress:
    """How far an issue has come."""

    total: int
    given: int
    refused: int

    @property
    def left(self) -> int:
        """How many wait."""
        return self.total - self.given - self.refused


def match_lines(lines: Iterable[str]) -> Matched:
    """Return whom the lines name: member numbers, addresses, phones, or ``identity:SOURCE:VALUE``.

    A line that could mean two members names nobody. Empty lines are left out but counted, so that numbers are those of
    the file. Raises TooManyLines.
    """
    numbered = [(number, line.strip()) for number, line in enumerate(lines, start=1) if line.strip()]
    if len(numbered) > MAX_LINES:
        raise TooManyLines
    found, seen = Matched(), set[int]()
    for part in _parts(numbered):
        named = members_in([text for _number, text in part])
        for number, text in part:
            member_id = named.get(text)
            if member_id is None:
                found.unmatched.append(number)
            elif member_id in seen:
                found.repeated.append(number)
            else:
                seen.add(member_id)
                found.member_ids.append(member_id)
    return found


@retried
def prepare_list(
    *, reward_id: int, lines: Sequence[str], reason: str, actor_id: int | None, at: datetime | None = None
) -> CouponIssue:
    """Keep whom a list names and which of its lines name nobody or somebody again; nothing is given yet.

    Raises NobodyNamed, TooManyLines or ReasonMissing.
    """
    matched = match_lines(lines)
    if not matched.member_ids:
        raise NobodyNamed
    issue = _prepare(reward_id, reason, actor_id, at)
    issue.unmatched_lines, issue.repeated_lines = matched.unmatched, matched.repeated
    issue.save(update_fields=["unmatched_lines", "repeated_lines"])
    for part in _parts(matched.member_ids):
        IssueRecipient.objects.bulk_create([IssueRecipient(issue=issue, member_id=pk) for pk in part])
    return issue


_OF_SEGMENT = """
INSERT INTO rewards_issuerecipient (issue_id, member_id, refused)
SELECT %s, s.member_id, '' FROM members_segmentmembership s JOIN members_member m ON m.id = s.member_id
WHERE s.segment = %s AND m.status = 'ACTIVE' ORDER BY s.member_id
"""


@retried
def prepare_segment(
    *, reward_id: int, segment: str, reason: str, actor_id: int | None, at: datetime | None = None
) -> CouponIssue:
    """Keep who is in the segment now; nothing is given yet. Raises NobodyNamed or ReasonMissing."""
    if not SegmentMembership.objects.filter(segment=segment, member__status=Member.Status.ACTIVE).exists():
        raise NobodyNamed
    issue = _prepare(reward_id, reason, actor_id, at, segment=segment)
    with connection.cursor() as cursor:
        cursor.execute(_OF_SEGMENT, [issue.pk, segment])
    return issue


@retried
def start_issue(*, issue_id: int, actor_id: int | None, at: datetime | None = None) -> CouponIssue:
    """Let the job give a prepared issue; a repeat changes nothing. Raises NotPrepared for one that was dropped."""
    now = at or database_now()
    started = CouponIssue.objects.filter(pk=issue_id, state=State.PREPARED).update(
        state=State.RUNNING, started_at=now, started_by_id=actor_id
    )
    issue = CouponIssue.objects.get(pk=issue_id)
    if started:
        _audit("coupons.started", issue, actor_id)
        request_run(job=JOB, actor_id=actor_id)
    elif issue.state == State.DROPPED:
        raise NotPrepared
    return issue


@retried
def drop_issue(*, issue_id: int, actor_id: int | None, at: datetime | None = None) -> CouponIssue:
    """End a prepared issue without giving anything; a repeat changes nothing. Raises NotPrepared once it started."""
    dropped = CouponIssue.objects.filter(pk=issue_id, state=State.PREPARED).update(
        state=State.DROPPED, finished_at=at or database_now()
    )
    issue = CouponIssue.objects.get(pk=issue_id)
    if dropped:
        _audit("coupons.dropped", issue, actor_id)
    elif issue.state != State.DROPPED:
        raise NotPrepared
    return issue


@retried
def try_refused_again(*, issue_id: int, actor_id: int | None) -> int:
    """Let the job try again what could not be given, such as after a delivery of stock; return how many."""
    issue = CouponIssue.objects.select_for_update(no_key=True).get(pk=issue_id)
    if issue.state not in (State.RUNNING, State.DONE):
        return 0
    again = issue.recipients.exclude(refused="").update(refused="")
    if again:
        CouponIssue.objects.filter(pk=issue_id).update(state=State.RUNNING, finished_at=None)
        _audit("coupons.retried", issue, actor_id)
        request_run(job=JOB, actor_id=actor_id)
    return again


def give_range(*, issue_id: int, limit: int, at: datetime | None = None) -> int:
    """Give to up to ``limit`` recipients that wait, each in a transaction of its own; return how many were settled.

    Once per member and issue, whoever else is giving it; 0 means that none waits and the issue is done.
    """
    waiting = IssueRecipient.objects.filter(issue_id=issue_id, redemption=None, refused="").order_by("pk")
    ids = list(waiting.values_list("pk", flat=True)[:limit])
    for recipient_id in ids:
        _give(recipient_id, at)
    if not ids:
        _finish(issue_id, at)
    return len(ids)


def progress_of(issue_id: int) -> Progress:
    """Return how many were given and refused."""
    counts = IssueRecipient.objects.filter(issue_id=issue_id).aggregate(
        total=Count("pk"), given=Count("redemption_id"), refused=Count("pk", filter=~Q(refused=""))
    )
    return Progress(**counts)


@retried
def give_coupon(*, member_id: int, reward_id: int, key: str, reason: str, actor_id: int | None = None) -> Redemption:
    """Give one member a reward for no points, once per member and key. Raises what ``give_reward`` raises."""
    if not reason.strip():
        raise ReasonMissing
    # Of two with one key the second sees what the first gave, and writes no second row into the trail.
    lock_accounts([member_id])
    is_new = not Redemption.objects.filter(member_id=member_id, key=key).exists()
    given = give_reward(member_id=member_id, reward_id=reward_id, key=key, source=Source.SENT)
    if is_new:
        data = {"redemption": given.pk, "reward": reward_id}
        write_audit(actor_id=actor_id, action="coupon.given", target=given.public_id, reason=reason, data=data)
    return given


def _prepare(reward_id: int, reason: str, actor_id: int | None, at: datetime | None, segment: str = "") -> CouponIssue:
    if not reason.strip():
        raise ReasonMissing
    issue = CouponIssue.objects.create(
        reward_id=reward_id, reason=reason, segment=segment, prepared_by_id=actor_id, prepared_at=at or database_now()
    )
    _audit("coupons.prepared", issue, actor_id)
    return issue


@retried
def _give(recipient_id: int, at: datetime | None) -> None:
    recipient = IssueRecipient.objects.select_related("issue").get(pk=recipient_id)
    issue, refused, given = recipient.issue, "", None
    try:
        given = give_reward(
            member_id=surviving_id(recipient.member_id),
            reward_id=issue.reward_id,
            key=f"issue:{issue.public_id}",
            source=Source.SENT,
            at=at,
        )
    except NotAvailable as problem:
        refused = str(problem.reasons[0].why)
    except PointsAccount.DoesNotExist:
        refused = "no_account"
    IssueRecipient.objects.filter(pk=recipient_id, redemption=None).update(redemption=given, refused=refused)


@retried
def _finish(issue_id: int, at: datetime | None) -> None:
    issue = CouponIssue.objects.select_for_update(no_key=True).get(pk=issue_id)
    # Looked at under the lock: somebody may have asked to try the refused ones again.
    if issue.state == State.RUNNING and not issue.recipients.filter(redemption=None, refused="").exists():
        CouponIssue.objects.filter(pk=issue_id).update(state=State.DONE, finished_at=at or database_now())


def _audit(action: str, issue: CouponIssue, actor_id: int | None) -> None:
    data = {"issue": issue.pk, "reward": issue.reward_id}
    write_audit(actor_id=actor_id, action=action, target=issue.public_id, reason=issue.reason, data=data)


def _parts(items: Sequence[T]) -> Iterator[Sequence[T]]:
    for start in range(0, len(items), _AT_ONCE):
        yield items[start : start + _AT_ONCE]

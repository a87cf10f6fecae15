"""Replaying other rules over purchases of the past: what they would have cost, and whom they would have moved.

Nothing is posted and no counter is touched: a replay is a report. It reads the purchases in the order of time, with the
tier that each member held then, and keeps the caps of the present in its own memory.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Sum

from members.accounts.models import Member
from members.earning import evaluation
from members.earning.rules import Rule
from members.earning.settling import decide, settle_one
from members.events.audit_log import write_audit
from members.jobs.schedule import Turn, request_run, scheduled
from members.ledger.award_rows import CounterKey
from members.ledger.models import PointsEntry, PointType
from members.lib.clock import database_now
from members.lib.transactions import retried
from members.programme.models import Programme
from members.purchases.drafts import DraftLine, PurchaseDraft
from members.purchases.models import Purchase, PurchaseLine, RuleReplay
from members.purchases.recording import award_of, outcome_of
from members.tiers.supposing import counted_since, tiers_with

BATCH = 1000
# How many members with the greatest differences the report names.
NAMED = 10

State = RuleReplay.State
OnProgress = Callable[[int, int], None]


class NoRules(Exception):
    """A replay needs at least one rule for purchases."""


class EndsBeforeItBegins(Exception):
    """A replay needs a span that ends after it begins."""


@retried
def request_replay(
    *, rule_ids: Iterable[int], since: datetime, until: datetime, actor_id: int | None, reason: str
) -> RuleReplay:
    """Ask for a report on what these rules, switched on or not, would have given for purchases of the span.

    The next worker makes it. Raises NoRules, EndsBeforeItBegins.
    """
    rules = _rules(rule_ids, since, until)
    replay = RuleReplay.objects.create(
        rule_ids=[rule.id for rule in rules],
        names=[rule.names for rule in rules],
        since=since,
        until=until,
        requested_by_id=actor_id,
        requested_at=database_now(),
    )
    write_audit(actor_id=actor_id, action="rules.replayed", target=f"replay {replay.pk}", reason=reason)
    request_run(job="replay-rules", actor_id=actor_id)
    return replay


def _rules(rule_ids: Iterable[int], since: datetime, until: datetime) -> list[Rule]:
    rules = evaluation.chosen_rules(rule_ids)
    if not rules:
        raise NoRules
    if until <= since:
        raise EndsBeforeItBegins
    return rules


@dataclass
class Tally:
    """What a replay has found so far: points by member, in the books and by the chosen rules."""

    purchases: int = 0
    then: int = 0
    now: int = 0
    differences: dict[int, int] = field(default_factory=dict)
    counting: dict[int, int] = field(default_factory=dict)
    used: dict[CounterKey, int] = field(default_factory=dict)

    def add(self, member_id: int, *, then: int, now: int) -> None:
        """Count one purchase."""
        self.purchases += 1
        self.then += then
        self.now += now
        self.differences[member_id] = self.differences.get(member_id, 0) + now - then


def replay(
    *, rule_ids: Iterable[int], since: datetime, until: datetime, at: datetime, on_progress: OnProgress | None = None
) -> dict[str, Any]:
    """Return the report on purchases from ``since`` to ``until`` (exclusive): points earned then and by these rules.

    Points before returns, in whole numbers; ``cost`` is the difference in minor units where a point has a cost;
    ``tiers`` says how many members would reach another tier at ``at``, None where points do not count for tiers in a
    window that all members share. Memory grows with the members who bought, not with their purchases.
    ``on_progress`` gets (done, total) after each batch. Raises NoRules, EndsBeforeItBegins.
    """
    rules, tally = _rules(rule_ids, since, until), Tally()
    counted = {point_type: counted_since(at, point_type) for point_type in PointType.values}
    span = Purchase.objects.filter(purchased_at__gte=since, purchased_at__lt=until)
    total = span.count() if on_progress else 0
    for batch in _batches(span.order_by("purchased_at", "pk").iterator(chunk_size=BATCH)):
        _replay_batch(batch, rules, tally, counted)
        if on_progress is not None:
            on_progress(tally.purchases, total)
    return _report(tally, at, counts_for_tiers=any(counted.values()))


def _batches(purchases: Iterator[Purchase]) -> Iterator[list[Purchase]]:
    batch: list[Purchase] = []
    for purchase in purchases:
        batch.append(purchase)
        if len(batch) == BATCH:
            yield batch
            batch = []
    if batch:
        yield batch


def _replay_batch(
    batch: Sequence[Purchase], rules: Sequence[Rule], tally: Tally, counted: dict[str, datetime | None]
) -> None:
    lines, earned = _lines_of(batch), _earned_by(batch)
    terms = evaluation.terms_of([(purchase.member_id, purchase.purchased_at) for purchase in batch])
    caps, manner = evaluation.compiled_caps(), evaluation.manner()
    for purchase, held in zip(batch, terms, strict=True):
        draft = _draft(purchase, tuple(lines[purchase.pk]))
        outcome = outcome_of(draft, held, rules, manner)
        award = settle_one(decide(award_of(draft), outcome, caps=caps, zone=manner.zone), tally.used)
        for use in award.uses:
            tally.used[use.key] = tally.used.get(use.key, 0) + use.points
        now = {PointType.SPENDABLE.value: award.points, PointType.STATUS.value: award.status_points}
        then = {point_type: earned.get((purchase.pk, point_type), 0) for point_type in now}
        tally.add(purchase.member_id, then=then[PointType.SPENDABLE], now=now[PointType.SPENDABLE])
        for point_type, start in counted.items():
            if start is not None and purchase.purchased_at >= start:
                difference = now[point_type] - then[point_type]
                tally.counting[purchase.member_id] = tally.counting.get(purchase.member_id, 0) + difference


def _lines_of(batch: Sequence[Purchase]) -> dict[int, list[DraftLine]]:
    lines: dict[int, list[DraftLine]] = {purchase.pk: [] for purchase in batch}
    names = ("sku", "quantity", "amount", "category", "description", "brand", "tax", "discount")
    rows = PurchaseLine.objects.filter(purchase_id__in=lines).order_by("pk").values_list("purchase_id", *names)
    for purchase_id, *values in rows:
        lines[purchase_id].append(DraftLine(*values))
    return lines


def _earned_by(batch: Sequence[Purchase]) -> dict[tuple[int, str], int]:
    entries = PointsEntry.objects.filter(
        purchase_id__in=[purchase.pk for purchase in batch], kind=PointsEntry.Kind.EARN
    )
    sums = entries.values_list("purchase_id", "point_type").annotate(sum=Sum("points"))
    return {(purchase_id or 0, point_type): points for purchase_id, point_type, points in sums}


def _draft(purchase: Purchase, lines: tuple[DraftLine, ...]) -> PurchaseDraft:
    return PurchaseDraft(
        source=purchase.source,
        number=purchase.number,
        member_id=purchase.member_id,
        purchased_at=purchase.purchased_at,
        currency=purchase.currency,
        lines=lines,
        origin=purchase.origin,
        store_id=purchase.store_id,
        shipping=purchase.shipping,
        points_paid=purchase.points_paid,
        gift_card_paid=purchase.gift_card_paid,
        invoice=purchase.invoice,
        buyer_tax_id=purchase.buyer_tax_id,
    )


def _report(tally: Tally, at: datetime, *, counts_for_tiers: bool) -> dict[str, Any]:
    moved = list(tally.differences.values())
    cost = Programme.current().cost_of_thousand_points
    difference = tally.now - tally.then
    return {
        "purchases": tally.purchases,
        "members": len(moved),
        "then": tally.then,
        "now": tally.now,
        "difference": difference,
        "cost": None if cost is None else round(difference * cost / 1000),
        "more": sum(each > 0 for each in moved),
        "fewer": sum(each < 0 for each in moved),
        "same": sum(each == 0 for each in moved),
        "tiers": tiers_with(tally.counting, at) if counts_for_tiers else None,
        "largest": _largest(tally.differences),
    }


def _largest(differences: dict[int, int]) -> list[dict[str, Any]]:
    chosen = sorted(differences.items(), key=lambda item: (-abs(item[1]), item[0]))[:NAMED]
    numbers = dict(Member.objects.filter(pk__in=dict(chosen)).values_list("pk", "number"))
    return [{"member": numbers[member_id], "points": points} for member_id, points in chosen if points]


@scheduled("replay-rules", every=timedelta(hours=1))
def replay_rules(turn: Turn) -> dict[str, Any]:
    """Make the reports that were asked for, one after the other; a killed one begins anew."""
    made = 0
    for asked in RuleReplay.objects.exclude(state=State.DONE).order_by("pk"):
        RuleReplay.objects.filter(pk=asked.pk).update(state=State.RUNNING)
        result = replay(
            rule_ids=asked.rule_ids,
            since=asked.since,
            until=asked.until,
            at=database_now(),
            on_progress=lambda done, total: turn.checkpoint(0, done=done, total=total),
        )
        RuleReplay.objects.filter(pk=asked.pk).update(state=State.DONE, result=result, finished_at=database_now())
        made += 1
    return {"reports": made}

"""Points for what happens: a rule pays once per event of its kind, within its caps.

The reader begins at the start of the log, but a rule pays for nothing that happened before it was made, and for nothing
of an imported past. A rule for members of a segment who enter it pays on entry only: those already inside when it
starts have no event.
"""

from collections.abc import Container
from dataclasses import replace
from typing import Any

from members.earning import evaluation
from members.earning.caps import Limit, apply_limits, limit_of_balance, limits_of, told_use
from members.earning.explanation import describes, explain_earning
from members.earning.matching import why_not_now, why_not_who
from members.earning.reckoning import Manner
from members.earning.rounding import exact, round_points
from members.earning.rules import Rule, Share, Terms
from members.earning.settling import usable_from
from members.events.log import write_event
from members.events.models import Event
from members.events.readers import reader
from members.ledger import posting
from members.ledger.counters import add_uses, lock_counters
from members.ledger.maximum import kept_as_counter
from members.ledger.models import PointsEntry, PointType
from members.lib.transactions import retried
from members.programme.models import Programme

SEGMENT_ENTERED = "segment.entered"
# What points themselves cause: a rule on these would pay for its own payments, for ever.
FORBIDDEN = "points."
REASON = "earning-rule"


class _PaidKinds(Container[str]):
    """The kinds of events that some rule pays for now."""

    def __contains__(self, kind: object) -> bool:
        return isinstance(kind, str) and not kind.startswith(FORBIDDEN) and bool(evaluation.rules_for_event(kind))


@describes(REASON)
def _reason(data: dict[str, Any]) -> str:
    return " ".join(explain_earning(data))


@reader("earning-events", kinds=_PaidKinds())
def _pay(event: Event) -> None:
    for rule in evaluation.rules_for_event(event.kind):
        pay_for_event(rule=rule, event=event)


@retried
def pay_for_event(*, rule: Rule, event: Event) -> PointsEntry | None:
    """Give the points of the rule for the event, once; None where the rule does not apply or its caps leave nothing.

    An attempt that a cap refused is written to the event log (``earning.refused``). Raises PointsAccount.DoesNotExist.
    """
    if event.backfilled or event.member_id is None or (rule.made_at and event.occurred_at < rule.made_at):
        return None
    manner = evaluation.manner()
    terms = _terms(event)
    local = event.occurred_at.astimezone(manner.zone)
    if why_not_now(rule, event.occurred_at, local) or why_not_who(rule, terms):
        return None
    data, points = _reckoned(rule, terms, manner)
    return _post(rule, event, data, points, manner) if points else None


def _terms(event: Event) -> Terms:
    terms = evaluation.terms_of([(event.member_id or 0, event.occurred_at)])[0]
    if event.kind == SEGMENT_ENTERED:
        return replace(terms, segments=frozenset({str(event.data.get("segment", ""))}))
    return terms


def _reckoned(rule: Rule, terms: Terms, manner: Manner) -> tuple[dict[str, Any], int]:
    factor = terms.multiplier if rule.tier_multiplier else 1
    worth = exact(rule.points * factor)
    points = round_points(worth, manner.rounding)
    step = {
        "rule": rule.id,
        "names": rule.names,
        "gives": rule.points,
        "multiplier": str(factor),
        "points": str(worth),
        "kind": "EVENT",
    }
    data = {"rules": [step], "tier": terms.tier_names, "sum": str(worth), "points": points, "rounding": manner.rounding}
    return data, points


def _post(rule: Rule, event: Event, data: dict[str, Any], points: int, manner: Manner) -> PointsEntry | None:
    """Lock account and counters, look at the caps, and give what they leave."""
    member_id, at, key = event.member_id or 0, event.occurred_at, f"earning:{rule.id}:event:{event.pk}"
    account = posting.lock_account(member_id)
    known = PointsEntry.objects.filter(key=key).first()
    if known is not None:
        return known
    shares = [Share(rule.id, rule.point_type, rule.lot, points)]
    limits = limits_of(evaluation.compiled_caps(), shares, member_id=member_id, at=at, zone=manner.zone)
    used = lock_counters([limit.key for limit in limits if limit.key])
    maximum = Programme.current().maximum_balance
    if maximum is not None and rule.point_type == PointType.SPENDABLE:
        limits += limit_of_balance(maximum, account.member_id)
        used |= kept_as_counter(account.member_id)
    capped = apply_limits(shares, limits, used)
    left = capped.points(rule.point_type)
    if not left:
        _refuse(rule, event, limits)
        return None
    add_uses(capped.uses)
    told = {"event": event.pk, "points": left, "uses": [told_use(use) for use in capped.uses]}
    if capped.cuts:
        told |= {"capped": capped.cuts, "rounded": points}
    return posting.grant(
        member_id=member_id,
        points=left,
        key=key,
        reason=REASON,
        data=data | told,
        at=at,
        available_from=usable_from(rule.lot, at, manner.zone),
        override=rule.lot.expiry,
        point_type=PointType(rule.point_type),
    )


def _refuse(rule: Rule, event: Event, limits: list[Limit]) -> None:
    write_event(
        kind="earning.refused",
        member_id=event.member_id,
        data={"rule": rule.id, "event": event.pk, "caps": [limit.cap.id for limit in limits]},
        occurred_at=event.occurred_at,
    )

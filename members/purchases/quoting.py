"""The dry run: what a purchase would earn, now or on a date, for the rules in force or chosen ones. Writes nothing."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from members.earning import evaluation
from members.earning.explanation import explain_earning
from members.earning.rules import Terms
from members.earning.settling import Decided, decide, settler
from members.ledger.award_rows import Award, AwardLot
from members.ledger.counters import read_counters
from members.ledger.maximum import is_maximum, points_kept, under_maximum
from members.lib.clock import database_now
from members.programme.models import Programme
from members.purchases.drafts import PurchaseDraft
from members.purchases.lateness import late_ones
from members.purchases.recording import award_of, outcome_of
from members.tiers.models import Tier

# The member of a draft that is nobody's: the lowest tier, no segments, nothing used of any cap.
NOBODY = 0


@dataclass(frozen=True)
class Quote:
    """What a purchase would earn: points to spend and status points, the lots they would go to, and why."""

    points: int
    status_points: int
    lots: tuple[AwardLot, ...]
    breakdown: dict[str, Any]

    @property
    def explanation(self) -> list[str]:
        """Why this many points, in the active language, with every rule that does not apply."""
        return explain_earning(self.breakdown, everything=True)


def quote(
    *,
    draft: PurchaseDraft,
    at: datetime | None = None,
    rule_ids: Iterable[int] | None = None,
    tier_id: int | None = None,
) -> Quote:
    """Return what the purchase would earn; nothing is written, and caps count as they stand.

    ``at`` replaces the time of the purchase, as if it was reported then;
    ``rule_ids`` replaces the rules that are switched on (they may be switched off),
    ``tier_id`` the tier of the member, who may be NOBODY. Raises Tier.DoesNotExist.
    """
    late = late_ones([draft]) if at is None else {}
    if at is not None:
        draft = replace(draft, purchased_at=at)
    rules = evaluation.compiled_rules() if rule_ids is None else evaluation.chosen_rules(rule_ids)
    manner = evaluation.manner()
    terms = _terms(draft, tier_id)
    outcome = outcome_of(draft, terms, rules, manner, late=late.get(0))
    caps, maximum = evaluation.compiled_caps(), Programme.current().maximum_balance
    decided = decide(award_of(draft), outcome, caps=caps, zone=manner.zone, expiry=terms.expiry, maximum=maximum)
    award = _settled(decided)
    return Quote(award.points, award.status_points, award.lots, award.breakdown)


def _settled(decided: Decided) -> Award:
    """Return the award as caps and the maximum balance would leave it now."""
    award, now = decided.award, database_now()
    used = read_counters([key for key in award.counters if not is_maximum(key)])
    kept = {NOBODY: 0} | points_kept([award.member_id], now)
    return under_maximum(settler([decided]), kept, now)(award, used)


def _terms(draft: PurchaseDraft, tier_id: int | None) -> Terms:
    terms = evaluation.terms_of([(draft.member_id, draft.purchased_at)])[0]
    if tier_id is None:
        return terms
    return replace(evaluation.terms_of_tier(Tier.objects.get(pk=tier_id)), segments=terms.segments)

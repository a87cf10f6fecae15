"""The one door for purchases: whoever brings one, it is recorded and earns its points once."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Protocol

import msgspec

from members.earning import evaluation
from members.earning.explanation import explain_earning
from members.earning.reckoning import Manner, evaluate, nothing
from members.earning.rules import Outcome, Rule, Terms
from members.earning.settling import Decided, decide, settler
from members.ledger.award_rows import Award, Posted, Settle
from members.ledger.awarding import award_purchases
from members.lib.transactions import retried
from members.programme.models import Programme
from members.purchases.drafts import PurchaseDraft, purchase_digest
from members.purchases.lateness import Late, late_ones
from members.purchases.models import Purchase
from members.purchases.paying import captured_hold, link_holds


class Post(Protocol):
    """How awards are written: ``award_purchases``, or another way with the same promises."""

    def __call__(self, awards: Sequence[Award], *, settle: Settle) -> list[Posted]: ...


class ContentDiffers(Exception):
    """A document with this source and number is known, with other content."""


class Recorded(msgspec.Struct, frozen=True, gc=False):
    """What became of a purchase; ``is_new`` is false for a repeat, ``differs`` when its content is another."""

    purchase_id: int
    entry_id: int
    points: int
    is_new: bool
    differs: bool
    breakdown: dict[str, Any]

    @property
    def refused(self) -> str:
        """Why no rule was asked: company, too_old or before_joining; empty where the rules decided."""
        return str(self.breakdown.get("refused", ""))

    @property
    def explanation(self) -> list[str]:
        """Why this many points, in the active language."""
        return explain_earning(self.breakdown)


def record_purchase(*, draft: PurchaseDraft) -> Recorded:
    """Record one purchase and its points, once per (source, number); a repeat returns the first result.

    Raises ContentDiffers when the number is known with other content, awarding.NoAccount for an unknown member.
    """
    recorded = record_purchases(drafts=[draft])[0]
    if recorded.differs:
        raise ContentDiffers(draft.number)
    return recorded


def record_purchases(*, drafts: Sequence[PurchaseDraft]) -> list[Recorded]:
    """Record many purchases, all or nothing, each once per (source, number); answers in the order given.

    One read and one writing statement on PostgreSQL, however many drafts; two more where caps decide. A known number
    with other content, or with another hold, changes nothing and is marked ``differs``. Raises paying.WrongHold.
    """
    if any(draft.hold for draft in drafts):
        return _record_paid(drafts)
    return post_awards(decide_awards(drafts=drafts))


@retried
def _record_paid(drafts: Sequence[PurchaseDraft]) -> list[Recorded]:
    """Record purchases some of which name the hold that paid."""
    # A wrong one is refused before anything is written.
    for draft in drafts:
        if draft.hold:
            captured_hold(draft.hold, member_id=draft.member_id)
    recorded = post_awards(decide_awards(drafts=drafts))
    # Of another document's purchase no hold is told.
    named = [replace(draft, hold="") if one.differs else draft for draft, one in zip(drafts, recorded, strict=True)]
    same = link_holds(named, [one.purchase_id for one in recorded])
    return [
        one if is_same else msgspec.structs.replace(one, differs=True)
        for one, is_same in zip(recorded, same, strict=True)
    ]


def decide_awards(*, drafts: Sequence[PurchaseDraft], late_too: bool = False) -> list[Decided]:
    """Return what the purchases earn; writes nothing. An import decides a batch while the one before is posted.

    Those that came too late earn nothing by the programme's rule, unless ``late_too``.
    """
    terms = evaluation.terms_of([(draft.member_id, draft.purchased_at) for draft in drafts])
    rules, caps, manner = evaluation.compiled_rules(), evaluation.compiled_caps(), evaluation.manner()
    maximum = Programme.current().maximum_balance
    late = {} if late_too else late_ones(drafts)
    return [
        decide(
            award_of(draft),
            outcome_of(draft, held, rules, manner, late=late.get(place)),
            caps=caps,
            zone=manner.zone,
            expiry=held.expiry,
            maximum=maximum,
        )
        for place, (draft, held) in enumerate(zip(drafts, terms, strict=True))
    ]


def post_awards(decisions: Sequence[Decided], *, post: Post = award_purchases) -> list[Recorded]:
    """Record what ``decide_awards`` decided; the second half of ``record_purchases``, with the same promises.

    ``post`` writes the awards: one way is better for a till, another for files.
    """
    awards = [decided.award for decided in decisions]
    answers = list(zip(awards, post(awards, settle=settler(decisions)), strict=True))
    differing = _differing([(award, posted) for award, posted in answers if posted.content_hash != award.content_hash])
    return [
        Recorded(
            purchase_id=posted.purchase_id,
            entry_id=posted.entry_id,
            points=posted.points,
            is_new=posted.is_new,
            differs=(posted.purchase_id, award.content_hash) in differing,
            breakdown=posted.breakdown,
        )
        for award, posted in answers
    ]


def _differing(suspects: Sequence[tuple[Award, Posted]]) -> set[tuple[int, str]]:
    """Return which of the documents differ in more than the member who was merged since they were recorded."""
    if not suspects:
        return set()
    purchases = Purchase.objects.select_related("member").in_bulk({posted.purchase_id for _award, posted in suspects})
    differing = set()
    for award, posted in suspects:
        kept = purchases.get(posted.purchase_id)
        is_ours = kept is not None and kept.number == award.number and kept.member.merged_into_id == award.member_id
        if not kept or not is_ours or purchase_digest(award, member_id=kept.member_id) != posted.content_hash:
            differing.add((posted.purchase_id, award.content_hash))
    return differing


def outcome_of(
    draft: PurchaseDraft, terms: Terms, rules: Sequence[Rule], manner: Manner, *, late: Late | None = None
) -> Outcome:
    """Return what the purchase earns before caps; a late one nothing, nor a company's where the programme says so."""
    if late is not None:
        return nothing(lines=draft.lines, currency=draft.currency, why=late.why, days=late.days)
    if draft.buyer_tax_id and not Programme.current().companies_earn:
        return nothing(lines=draft.lines, currency=draft.currency, why="company")
    return evaluate(
        lines=draft.lines,
        currency=draft.currency,
        purchased_at=draft.purchased_at,
        rules=rules,
        terms=terms,
        told=draft,
        manner=manner,
    )


def award_of(draft: PurchaseDraft) -> Award:
    """Return the purchase as an award that has earned nothing yet."""
    return Award(
        source=draft.source,
        number=draft.number,
        content_hash=draft.content_hash,
        member_id=draft.member_id,
        store_id=draft.store_id,
        purchased_at=draft.purchased_at,
        currency=draft.currency,
        amount=draft.amount,
        origin=draft.origin,
        backfilled=draft.backfilled,
        lines=draft.lines,
        points=0,
        breakdown={},
        lots=(),
        shipping=draft.shipping,
        points_paid=draft.points_paid,
        gift_card_paid=draft.gift_card_paid,
        invoice=draft.invoice,
        buyer_tax_id=draft.buyer_tax_id,
    )

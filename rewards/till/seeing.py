"""What the till shows of a member or a voucher."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime

from django.db.models import F, Q
from django.utils.translation import gettext as _

from members.accounts.models import Member
from members.ledger.statements import spendable_points
from members.lib.money import format_money
from members.tiers.standing import current_standing
from rewards.coupons.conditions import conditions_of
from rewards.redemption import wording
from rewards.redemption.fulfilment import refusal_of_use
from rewards.redemption.models import Redemption
from rewards.redemption.states import State
from rewards.till.models import TillAct

MOST_VOUCHERS = 30

# What layers above add about a member, in short sentences: an open birthday gift. (member id, instant) → texts.
notes: list[Callable[[int, datetime], list[str]]] = []


@dataclass(frozen=True)
class Voucher:
    """One redemption as the till sees it: what it is, whether it is good here and now, and if not, why."""

    redemption: Redemption
    name: str
    kind: str
    words: str
    conditions: list[str]
    last_day: date | None
    why_not: str
    # In words with its currency; empty where nothing is due.
    money_due: str
    is_used: bool

    @property
    def is_good(self) -> bool:
        """Whether it may be used here now."""
        return not self.why_not


@dataclass(frozen=True)
class Customer:
    """One member as the till sees them. The name is whole or an initial, as the clerk may see it."""

    number: str
    name: str
    points: int
    tier: str
    is_live: bool
    vouchers: list[Voucher]
    notes: list[str]


def see_member(scan: TillAct, *, may_see_name: bool, at: datetime) -> Customer:
    """Return what the till shows of the member of a scan: 30 vouchers at most, those that end first at the top."""
    member = Member.objects.select_related("person").get(pk=scan.member_id or 0)
    standing = current_standing(member.pk)
    open_ones = Q(state=State.CAPTURED) & (Q(valid_until=None) | Q(valid_until__gt=at))
    waiting = Q(state=State.HELD, held_until__gt=at)
    rows = Redemption.objects.of_member(member.pk).filter(open_ones | waiting).exclude(code="", state=State.CAPTURED)
    rows = rows.select_related("reward").prefetch_related("reward__stores")
    shown = rows.order_by(F("valid_until").asc(nulls_last=True), "pk")[:MOST_VOUCHERS]
    return Customer(
        number=member.number,
        name=member.person.name if may_see_name else _initial(member.person.name),
        points=spendable_points(member.pk, at),
        tier=standing.tier.name if standing is not None else "",
        is_live=scan.is_proof,
        vouchers=[voucher(row, scan, at=at) for row in shown],
        notes=[text for note in notes for text in note(member.pk, at)],
    )


def voucher(redemption: Redemption, scan: TillAct, *, at: datetime) -> Voucher:
    """Return what the till of the scan shows of one redemption."""
    refused = refusal_of_use(redemption, actor_id=scan.actor_id, store_id=scan.store_id, at=at)
    state = redemption.state_at(at)
    due = format_money(redemption.money, redemption.currency) if state == State.HELD and redemption.money else ""
    return Voucher(
        redemption=redemption,
        name=redemption.reward.name,
        kind=str(redemption.reward.behaviour.label),
        words=str(redemption.words_at(at)),
        conditions=conditions_of(redemption.reward),
        last_day=redemption.last_day,
        why_not=wording.explain(refused) if refused is not None else "",
        money_due=due,
        is_used=state == State.FULFILLED,
    )


def _initial(name: str) -> str:
    return " ".join(f"{word[0]}." for word in name.split())


def refusal_words(why: str) -> str:
    """Return what the clerk does next, by the name of what went wrong."""
    return _REFUSALS[why]()


_REFUSALS: dict[str, Callable[[], str]] = {
    "NothingFound": lambda: _("No card or voucher reads like this. Please scan again."),
    "CodeUsed": lambda: _("This code was used already. The card shows a new one within a minute."),
    "CodeRefused": lambda: _("This code is too old. Ask for the one that the card shows now."),
    "TooManyWrongCodes": lambda: _("Too many wrong codes for this card. Its number alone still works."),
    "LostCard": lambda: _("This card was reported lost."),
    "OwnAccount": lambda: _("Nobody serves their own membership. Please ask a colleague."),
    "NotScanned": lambda: _("Please scan the voucher, or the code on the member's card, once more."),
    "KeyAlreadyUsed": lambda: _("That was sent before. Please start again."),
    "Busy": lambda: _("The till is busy. Nothing was changed; please try again."),
    "TooManyLooks": lambda: _("Too many wrong scans. Please wait a few minutes."),
}

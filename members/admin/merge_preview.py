"""What staff see of two members before they become one."""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import OuterRef, Subquery
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from members.ledger.merging import points_to_move, sign_up_bonuses
from members.ledger.models import Hold, PointType
from members.ledger.statements import balance_of
from members.lib.money import format_money
from members.lib.periods import last_usable_day
from members.models import Member, PointsAccount, PointsEntry, PointsLot, Purchase
from members.programme.models import Programme
from members.tiers.standing import current_standing

DUPLICATES = 10


@dataclass(frozen=True)
class Row:
    """One fact of both members."""

    label: str
    loser: str
    survivor: str


@dataclass(frozen=True)
class Preview:
    """Both members side by side, what looks doubled, and how many points would move."""

    loser: Member
    survivor: Member
    rows: list[Row]
    bonuses: list[PointsEntry]
    duplicates: list[str]
    moving: int


def preview_of(loser: Member, survivor: Member, at: datetime) -> Preview:
    """Return what a merge at ``at`` would bring together; changes nothing."""
    facts = zip(_facts(loser, at), _facts(survivor, at), strict=True)
    bonuses = list(sign_up_bonuses(loser.pk, survivor.pk).select_related("member"))
    return Preview(
        loser=loser,
        survivor=survivor,
        rows=[Row(label, own, other) for (label, own), (_label, other) in facts],
        bonuses=bonuses if len({bonus.member_id for bonus in bonuses}) > 1 else [],
        duplicates=_doubled_purchases(loser, survivor),
        moving=points_to_move(loser.pk),
    )


def _facts(member: Member, at: datetime) -> list[tuple[str, str]]:
    balance = balance_of(member.pk, at)
    status = PointsAccount.objects.filter(member=member, point_type=PointType.STATUS).values_list("balance", flat=True)
    standing = current_standing(member.pk)
    keep_until = standing.keep_until if standing else None
    return [
        (_("Status"), str(member.get_status_display())),
        (_("Usable points"), f"{balance.spendable:,}"),
        (_("Pending"), f"{balance.pending:,}"),
        (_("Debt"), f"{balance.debt:,}"),
        (_("Status points"), f"{status.first() or 0:,}"),
        (_("Lots with points left"), str(PointsLot.objects.filter(member=member, remaining__gt=0).count())),
        (_("Open holds"), str(Hold.objects.filter(member=member, state=Hold.State.HELD).count())),
        (_("Tier"), standing.tier.name if standing else "–"),
        (
            _("Kept at least until"),
            date_format(last_usable_day(keep_until, Programme.current().tz)) if keep_until else "–",
        ),
        (_("Purchases"), str(Purchase.objects.filter(member=member).count())),
        (_("Login"), _("yes") if member.user_id else _("no")),
    ]


def _doubled_purchases(loser: Member, survivor: Member) -> list[str]:
    """Return purchases of the loser that look like one of the survivor: same instant, amount and currency."""
    twins = Purchase.objects.filter(
        member=survivor,
        purchased_at=OuterRef("purchased_at"),
        amount=OuterRef("amount"),
        currency=OuterRef("currency"),
    )
    own = Purchase.objects.filter(member=loser).annotate(twin=Subquery(twins.values("number")[:1]))
    doubled = own.exclude(twin=None).order_by("-pk")[:DUPLICATES]
    return [
        f"{purchase.number} / {getattr(purchase, 'twin', '')}: {format_money(purchase.amount, purchase.currency)}"
        for purchase in doubled
    ]

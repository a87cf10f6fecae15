"""What the points out there are worth to the programme: liability, breakage, cost. Reads only."""

from dataclasses import dataclass
from datetime import date, datetime
from fractions import Fraction

from django.db.models import F, Q, QuerySet, Sum

from members.ledger.models import LotUse, PointsAccount, PointsEntry, PointsLot, PointType
from members.lib import periods
from members.programme.models import Programme

# Breakage is learned from the lots whose end fell into so many months before.
LEARNED_MONTHS = 12

Contra = PointsEntry.Contra
Kind = PointsEntry.Kind


@dataclass(frozen=True)
class Breakage:
    """Of the points whose end passed in the last twelve months, how many ended unused."""

    ended: int
    unused: int

    @property
    def rate(self) -> Fraction | None:
        """The share that ended unused; None while nothing has ended."""
        return Fraction(self.unused, self.ended) if self.ended else None


@dataclass(frozen=True)
class EndingMonth:
    """Points whose last usable day lies in one month; None gathers those that never end."""

    first: date | None
    points: int


@dataclass(frozen=True)
class PointsReport:
    """The books of spendable points at an instant, and what moved since another.

    ``outstanding`` is what members hold, spendable and pending; ``held`` was taken aside and is not in it. Points in
    whole numbers, money in minor units of the programme's currency.
    """

    at: datetime
    since: datetime
    moved: dict[str, int]
    outstanding: int
    held: int
    debt: int
    breakage: Breakage
    cost_of_thousand: int | None
    endings: list[EndingMonth]

    @property
    def expected_to_be_used(self) -> int:
        """Outstanding and held points less the expected breakage, rounded up: the cautious side."""
        rate = self.breakage.rate or Fraction(0)
        return -((-(self.outstanding + self.held) * (1 - rate)).__floor__())

    @property
    def liability(self) -> int | None:
        """What the points still to be used will cost; None while nobody has said what a point costs."""
        return self._cost(self.expected_to_be_used)

    @property
    def liability_without_breakage(self) -> int | None:
        """What all points would cost if every one were used."""
        return self._cost(self.outstanding + self.held)

    @property
    def cost_of_redeemed(self) -> int | None:
        """What the points redeemed in the period cost."""
        return self._cost(-self.moved.get(Contra.REDEEMED, 0))

    def _cost(self, points: int) -> int | None:
        if self.cost_of_thousand is None:
            return None
        return (Fraction(points * self.cost_of_thousand, 1000) + Fraction(1, 2)).__floor__()


def points_report(*, since: datetime, at: datetime) -> PointsReport:
    """Return the report on spendable points at ``at`` (now or later than every entry), movements from ``since`` on."""
    totals = PointsAccount.objects.filter(point_type=PointType.SPENDABLE).aggregate(
        balance=Sum("balance", default=0), debt=Sum("debt", default=0)
    )
    entries = PointsEntry.objects.filter(point_type=PointType.SPENDABLE)
    held = entries.filter(contra=Contra.HELD).aggregate(points=Sum("points", default=0))["points"]
    moved = entries.filter(recorded_at__gte=since, recorded_at__lte=at).values("contra").annotate(sum=Sum("points"))
    return PointsReport(
        at=at,
        since=since,
        moved=dict(moved.order_by("contra").values_list("contra", "sum")),
        outstanding=totals["balance"] + totals["debt"] - _past_their_end(at),
        held=-held,
        debt=totals["debt"],
        breakage=breakage_at(at),
        cost_of_thousand=Programme.current().cost_of_thousand_points,
        endings=_endings(at),
    )


def breakage_at(at: datetime) -> Breakage:
    """Return how the points ended whose end lies in the twelve months up to ``at``.

    Points that moved to another account are counted there. A lot whose end has passed counts as unused for what is
    left of it, whether or not the sweep has run.
    """
    zone = Programme.current().tz
    since = periods.start_of_day(periods.add_months(periods.local_day(at, zone), -LEARNED_MONTHS), zone)
    ended = _spendable_lots().filter(expires_at__gt=since, expires_at__lte=at, notice_due=False)
    sums = ended.aggregate(granted=Sum("granted", default=0), left=Sum("remaining", default=0))
    uses = LotUse.objects.filter(lot__in=ended)
    expired = uses.filter(entry__kind=Kind.EXPIRE).aggregate(sum=Sum("points", default=0))["sum"]
    moved = uses.filter(entry__kind=Kind.TRANSFER).aggregate(sum=Sum("points", default=0))["sum"]
    return Breakage(ended=sums["granted"] - moved, unused=expired + sums["left"])


def _spendable_lots() -> QuerySet[PointsLot]:
    return PointsLot.objects.filter(account__point_type=PointType.SPENDABLE)


def _past_their_end(at: datetime) -> int:
    past = _spendable_lots().filter(remaining__gt=0, expires_at__lte=at, notice_due=False)
    return int(past.aggregate(sum=Sum("remaining", default=0))["sum"])


def _endings(at: datetime) -> list[EndingMonth]:
    alive = Q(expires_at=None) | Q(expires_at__gt=at) | Q(notice_due=True)
    rows = _spendable_lots().filter(alive, remaining__gt=0).values_list("expires_at").annotate(sum=Sum("remaining"))
    zone = Programme.current().tz
    months: dict[date | None, int] = {}
    for end, points in rows.order_by(F("expires_at").asc(nulls_last=True)):
        first = periods.last_usable_day(end, zone).replace(day=1) if end else None
        months[first] = months.get(first, 0) + points
    return [EndingMonth(first, points) for first, points in months.items()]

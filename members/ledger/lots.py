"""Making lots: when points become usable and when they end, by the programme's policy."""

from datetime import UTC, datetime

from members.ledger.award_rows import AwardLot
from members.ledger.policies import NEVER, Override, Policy, end_from
from members.lib import periods
from members.programme.models import Programme

Kind = Programme.ExpiryPolicy
_QUARTER = 15 * 60


def new_lot(points: int, *, available_from: datetime | None, override: Override = None) -> AwardLot:
    """Return a lot of so many points, usable from an instant (None waits for an event) to the programme's end.

    ``override`` is what the tier or the rule says instead: other months, 0 for the same day, "never".
    """
    if available_from is None:
        return AwardLot(points, None, None)
    ends = _ends_now()
    expires_at = ends.end_of(available_from, override)
    return AwardLot(points, available_from, expires_at, _needs_notice(expires_at, ends.programme))


def end_of_lot(available_from: datetime, *, override: Override = None) -> datetime | None:
    """Return the exclusive end of points that are usable from an instant; None for never."""
    return _ends_now().end_of(available_from, override)


class _Ends:
    """The policy of one reading of the settings, and the ends it has given, by quarter of an hour and override."""

    def __init__(self, programme: Programme) -> None:
        self.programme = programme
        self.policy, self.zone = policy_of(programme), programme.tz
        self.known: dict[tuple[float, Override], datetime | None] = {}

    def end_of(self, available_from: datetime, override: Override) -> datetime | None:
        # Since 1972 every day of every zone begins at a quarter; asking the zone for it takes longer than the rest.
        key = (available_from.timestamp() // _QUARTER, override)
        if key not in self.known:
            day = periods.local_day(available_from, self.zone)
            self.known[key] = end_from(self.policy, day, self.zone, override=override)
        return self.known[key]


# An award asks for the end of its lots: it is worked out once a time of purchase while the settings are the same row.
_ends: _Ends | None = None


def _ends_now() -> _Ends:
    global _ends  # noqa: PLW0603 - goes with the one row that Programme.current() keeps
    programme = Programme.current()
    if _ends is None or _ends.programme is not programme:
        _ends = _Ends(programme)
    return _ends


def needs_notice(expires_at: datetime | None) -> bool:
    """Tell whether points of this end must not end before their member was told.

    An end that has passed already (an imported past) needs no notice.
    """
    return _needs_notice(expires_at, Programme.current())


def _needs_notice(expires_at: datetime | None, programme: Programme) -> bool:
    # The host's clock will do, and spares the award a statement: only a past by far is told apart here.
    return expires_at is not None and programme.notice_days is not None and expires_at > datetime.now(UTC)


def policy_of(programme: Programme) -> Policy:
    """Return the arithmetic of the settings."""
    kind, rounded = programme.expiry_policy, programme.expiry_round_up
    if kind == Kind.DAYS:
        return Policy(days=programme.expiry_days, round_up=rounded)
    if kind == Kind.MONTHS:
        return Policy(months=programme.expiry_months, round_up=rounded)
    if kind == Kind.INACTIVITY:
        return Policy(months=programme.expiry_months, round_up=rounded, since=programme.inactivity_since)
    if kind == Kind.CALENDAR:
        return Policy(dates=programme.expiry_month_days, years_later=programme.expiry_years_later)
    return NEVER

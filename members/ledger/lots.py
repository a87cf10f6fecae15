"""Making lots: when points become usable and when they end, by the programme's policy."""

from dataclasses import dataclass
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from members.ledger.award_rows import AwardLot
from members.ledger.policies import NEVER, Override, Policy, end_from
from members.lib import periods
from members.programme.models import Programme

Kind = Programme.ExpiryPolicy


def new_lot(points: int, *, available_from: datetime | None, override: Override = None) -> AwardLot:
    """Return a lot of so many points, usable from an instant (None waits for an event) to the programme's end.

    ``override`` is what the tier or the rule says instead: other months, 0 for the same day, "never".
    """
    expires_at = end_of_lot(available_from, override=override) if available_from else None
    return AwardLot(points, available_from, expires_at, needs_notice(expires_at))


def end_of_lot(available_from: datetime, *, override: Override = None) -> datetime | None:
    """Return the exclusive end of points that are usable from an instant; None for never."""
    ends = _ends_now()
    key = (periods.local_day(available_from, ends.zone), override)
    if key not in ends.known:
        ends.known[key] = end_from(ends.policy, key[0], ends.zone, override=override)
    return ends.known[key]


@dataclass(frozen=True)
class _Ends:
    """The policy of one reading of the settings, and the ends it has given, by day and override."""

    programme: Programme
    policy: Policy
    zone: ZoneInfo
    known: dict[tuple[date, Override], datetime | None]


# An award asks for the end of its lots: it is worked out once a day of purchase while the settings are the same row.
_ends: _Ends | None = None


def _ends_now() -> _Ends:
    global _ends  # noqa: PLW0603 - goes with the one row that Programme.current() keeps
    programme = Programme.current()
    if _ends is None or _ends.programme is not programme:
        _ends = _Ends(programme, policy_of(programme), programme.tz, {})
    return _ends


def needs_notice(expires_at: datetime | None) -> bool:
    """Tell whether points of this end must not end before their member was told.

    An end that has passed already (an imported past) needs no notice.
    """
    # The host's clock will do, and spares the award a statement: only a past by far is told apart here.
    return expires_at is not None and Programme.current().notice_days is not None and expires_at > datetime.now(UTC)


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

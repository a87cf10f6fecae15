"""The nightly run: only members for whom something can have changed since the last one.

New facts are found by their place in the event log, not by the time they happened, so that a late import counts too.
What time alone changes is found by the spans between the two runs: terms and decisions that end, points that become
usable, lowering entries that leave a rolling window, months since joining.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime, time
from typing import Any

from django.db.models import Q

from members.accounts.models import Member
from members.events import feed
from members.jobs.schedule import Turn, scheduled
from members.ledger.models import PointsEntry, PointsLot
from members.lib import periods
from members.lib.clock import database_now
from members.programme.models import Programme
from members.tiers import windows
from members.tiers.counting import Basis, Who, plain_window
from members.tiers.models import Standing, TierSet
from members.tiers.placing import Structure, structure_of
from members.tiers.recalculation import move_many, no_moves, recalculate, report
from members.tiers.standing import current_tier_set
from members.tiers.versions import CHANGES, activate_planned

CHUNK = 5_000


def recalculate_changed(*, at: datetime | None = None, turn: Turn | None = None) -> dict[str, Any]:
    """Move whom something new since the last run moves; the first run, and the one after a new version, is a full one.

    The result is the same as that of ``recalculate``, with ``checked`` members; a killed run carries on behind the last
    member that was looked at.
    """
    at = at or database_now()
    activate_planned(at=at)
    tier_set = current_tier_set()
    since, until = feed.place_of(CHANGES), feed.newest_place()
    if tier_set is None or since is None:
        result: dict[str, Any] = recalculate(at=at, turn=turn)
        result["checked"] = Member.objects.count()
    else:
        structure = structure_of(tier_set)
        result = _move(structure, changed_members(structure, since, until, at), at, turn)
    # An attempt that took over from a killed one did not look again at the members before its place.
    if turn is None or turn.attempt == 1:
        feed.keep_place(CHANGES, until, at)
    return result


def _move(structure: Structure, ids: list[int], at: datetime, turn: Turn | None) -> dict[str, Any]:
    counts = no_moves()
    begin = turn.cursor if turn else 0
    ahead = [member_id for member_id in ids if member_id >= begin]
    for chunk in _chunks(ahead):
        who = Who(chunk[0], chunk[-1], chunk)
        counts.update(move_many(structure, who, at=at, turn=turn, total=ids[-1]))
    return report(counts) | {"checked": len(ahead)}


def _chunks(ids: list[int]) -> Iterator[tuple[int, ...]]:
    for begin in range(0, len(ids), CHUNK):
        yield tuple(ids[begin : begin + CHUNK])


def changed_members(
    structure: Structure, since: tuple[feed.Place, datetime], until: feed.Place, at: datetime
) -> list[int]:
    """Return the ids of all members whose tier can be another one than at the last run, in order."""
    place, last_at = since
    # What tiers themselves wrote tells nothing new about them.
    found: set[int] = set(feed.members_told_of(place, until, but_for="tier.").iterator())
    found.update(_due(at))
    if Basis.POINTS in structure.bases:
        found.update(_points_by_time(structure.tier_set, last_at, at))
    for months in _tenures(structure):
        found.update(_tenure_reached(months, last_at, at))
    return sorted(found)


def _due(at: datetime) -> Iterable[int]:
    """Find terms, graces and decisions that are over; a grace begins only when its term is."""
    ended = Q(keep_until__lte=at) | Q(granted_until__lte=at)
    return Standing.objects.filter(ended, until_at=None).values_list("member_id", flat=True).iterator()


def _points_by_time(tier_set: TierSet, last_at: datetime, at: datetime) -> Iterable[int]:
    """Find points that became usable, and entries that lowered the figure and leave the window."""
    usable = PointsLot.objects.filter(available_from__gt=last_at, available_from__lte=at)
    yield from usable.values_list("member_id", flat=True).iterator()
    if tier_set.window in windows.ROLLING:
        zone = Programme.current().tz
        old, new = (plain_window(tier_set, periods.local_day(each, zone)).start for each in (last_at, at))
        left = PointsEntry.objects.filter(
            occurred_at__gte=periods.start_of_day(old, zone), occurred_at__lt=periods.start_of_day(new, zone)
        )
        lowering = left.filter(points__lt=0, kind__in=["RETURN", "TAKE_BACK", "ADJUST"])
        yield from lowering.values_list("member_id", flat=True).iterator()


def _tenures(structure: Structure) -> list[int]:
    criteria = [criterion for rung in structure.ladder.rungs if rung.rank for criterion in rung.criteria]
    return sorted({criterion.threshold for criterion in criteria if criterion.basis == Basis.TENURE})


def _tenure_reached(months: int, last_at: datetime, at: datetime) -> Iterable[int]:
    zone = Programme.current().tz
    days = [windows.first_day_too_young(periods.local_day(each, zone), months) for each in (last_at, at)]
    old, new = (periods.start_of_day(day, zone) for day in days)
    return Member.objects.filter(joined_at__gte=old, joined_at__lt=new).values_list("pk", flat=True).iterator()


@scheduled("recalculate-tiers", daily_at=time(3, 0), after="expire-points")
def recalculate_tiers(turn: Turn) -> dict[str, Any]:
    """Review in the small hours whom something changed for; once a week ``recalculate-all-tiers`` makes sure."""
    return recalculate_changed(at=turn.at, turn=turn)

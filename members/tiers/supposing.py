"""What if members had earned other points: how many would reach another tier now. Reads only."""

from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import datetime

from members.lib import periods
from members.programme.models import Programme
from members.tiers import windows
from members.tiers.counting import Basis, Who, plain_window
from members.tiers.evaluation import reached
from members.tiers.placing import Structure, places_of, structure_of
from members.tiers.standing import current_tier_set

_CHUNK = 2_000


def counted_since(at: datetime, point_type: str) -> datetime | None:
    """Return the start of the window in which earned points of a type count for tiers at ``at``.

    None where they do not, or where each member has a window of their own.
    """
    tier_set = current_tier_set()
    if tier_set is None or tier_set.point_type != point_type or tier_set.window in windows.ANNIVERSARY:
        return None
    if Basis.POINTS not in structure_of(tier_set).bases:
        return None
    zone = Programme.current().tz
    return plain_window(tier_set, periods.local_day(at, zone)).instants(zone)[0]


def tiers_with(differences: Mapping[int, int], at: datetime) -> dict[str, int]:
    """Return how many members would reach a higher (``up``), a lower (``down``) or the ``same`` tier.

    ``differences`` are points to add to what counts now, by member; terms, graces and decisions are left aside.
    """
    tier_set = current_tier_set()
    counts = Counter(up=0, down=0, same=0)
    if tier_set is not None:
        structure = structure_of(tier_set)
        for ids in _chunks(sorted(differences)):
            counts.update(_directions(structure, ids, differences, at))
    return dict(counts)


def _directions(
    structure: Structure, ids: tuple[int, ...], differences: Mapping[int, int], at: datetime
) -> Iterator[str]:
    for place in places_of(structure, Who(ids[0], ids[-1], ids), at):
        points = place.figures.get(Basis.POINTS.value, 0) + differences[place.member_id]
        supposed = reached({**place.figures, Basis.POINTS.value: points}, structure.ladder).rank
        yield "same" if supposed == place.rank_now else "up" if supposed > place.rank_now else "down"


def _chunks(ids: list[int]) -> Iterator[tuple[int, ...]]:
    for start in range(0, len(ids), _CHUNK):
        yield tuple(ids[start : start + _CHUNK])

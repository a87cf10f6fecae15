"""Lists of addresses to pack, and files that say what has left."""

import csv
import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from members.lib.clock import database_now
from members.lib.transactions import retried
from rewards.catalogue.exporting import FORMULA
from rewards.handover.models import Parcel
from rewards.handover.parcels import send_parcel
from rewards.handover.states import ParcelState
from rewards.redemption.moves import NotPossible
from rewards.redemption.wording import explain

SENT_COLUMNS = ("redemption", "carrier", "tracking")
MOST_LINES = 2000
_LISTED = ("redemption", "reward", *Parcel.ADDRESS)


class UnreadableFile(Exception):
    """The file is not one that can be read; the text says why, in the active language."""


class _DryRun(Exception):
    """Nothing of this is kept."""


@dataclass
class SentReport:
    """How many parcels a file sends or repeats, and what is wrong with it: (line, problem)."""

    sent: int = 0
    same: int = 0
    wrong: list[tuple[int, str]] = field(default_factory=list)
    is_written: bool = False


def address_list(parcels: Iterable[Parcel]) -> str:
    """Return the addresses as CSV that no spreadsheet runs anything of."""
    target = io.StringIO()
    writer = csv.writer(target)
    writer.writerow(_LISTED)
    for parcel in parcels:
        row = parcel.redemption
        texts = [row.public_id, row.reward.name, *(getattr(parcel, name) for name in Parcel.ADDRESS)]
        writer.writerow([f"'{text}" if text.startswith(FORMULA) else text for text in texts])
    return target.getvalue()


def import_sent(*, text: str, dry_run: bool, actor_id: int | None, at: datetime | None = None) -> SentReport:
    """Record the parcels of a file as sent (columns redemption, carrier, tracking), all of them or none.

    A dry run makes the same checks and keeps nothing; a file sent twice changes nothing. Raises UnreadableFile.
    """
    lines = list(_lines(text))
    try:
        return _import(lines, dry_run=dry_run, actor_id=actor_id, at=at)
    except _DryRun as end:
        report: SentReport = end.args[0]
        return report


@retried
def _import(
    lines: list[tuple[int, list[str]]], *, dry_run: bool, actor_id: int | None, at: datetime | None
) -> SentReport:
    report, now = SentReport(), at or database_now()
    known = {
        parcel.redemption.public_id: parcel
        for parcel in Parcel.objects.select_related("redemption").filter(
            redemption__public_id__in=[cells[0] for _number, cells in lines]
        )
    }
    with transaction.atomic():
        # By id, so that two files at once wait for each other instead of meeting crosswise.
        places = {public_id: parcel.pk for public_id, parcel in known.items()}
        for number, cells in sorted(lines, key=lambda line: places.get(line[1][0], 0)):
            parcel = known.pop(cells[0], None)
            problem = _send_line(parcel, cells, actor_id, now)
            if problem:
                report.wrong.append((number, problem))
            elif parcel is not None and parcel.state == ParcelState.SENT:
                report.same += 1
            else:
                report.sent += 1
        report.wrong.sort()
        report.is_written = not (dry_run or report.wrong)
        if not report.is_written:
            raise _DryRun(report)
    return report


def _send_line(parcel: Parcel | None, cells: list[str], actor_id: int | None, now: datetime) -> str:
    """Send one parcel and return what is wrong with it; nothing when it is sent."""
    _public_id, carrier, tracking = cells
    if parcel is None:
        return _("No such parcel, or twice in this file.")
    if not (0 < len(carrier) <= 60 and 0 < len(tracking) <= 80):
        return _("Carrier or tracking number is missing or too long.")
    try:
        send_parcel(redemption_id=parcel.redemption_id, carrier=carrier, tracking=tracking, actor_id=actor_id, at=now)
    except NotPossible as problem:
        return explain(problem.refused)
    return ""


def _lines(text: str) -> Iterator[tuple[int, list[str]]]:
    try:
        rows = list(csv.reader(io.StringIO(text), strict=True))
    except csv.Error as problem:
        raise UnreadableFile(_("The columns must be redemption, carrier, tracking.")) from problem
    if not rows or tuple(cell.strip().lower() for cell in rows[0]) != SENT_COLUMNS:
        raise UnreadableFile(_("The columns must be redemption, carrier, tracking."))
    if len(rows) > MOST_LINES + 1:
        raise UnreadableFile(_("The file has more than %(count)s lines.") % {"count": MOST_LINES})
    for number, cells in enumerate(rows[1:], start=2):
        if cells:
            padded = [*cells, "", "", ""][: len(SENT_COLUMNS)]
            yield number, [_plain(cell) for cell in padded]


def _plain(cell: str) -> str:
    text = cell.strip()
    return text[1:] if text.startswith("'") and text[1:].startswith(FORMULA) else text

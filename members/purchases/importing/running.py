"""The import of one file: read it all, then record its documents through the same doors as everybody else.

Nothing is written before the whole file could be read. A killed import is begun again: every document has its
key, so what is there already stays as it is, and only the rest is recorded.
"""

import gc
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from itertools import chain
from pathlib import Path

from members.accounts.enrolment import enrol_members_in_bulk
from members.accounts.models import Identity
from members.earning.evaluation import compiled_caps
from members.earning.settling import Decided
from members.ledger.award_copy import award_purchases_of_file
from members.ledger.expiry import expire_due
from members.lib.clock import database_now
from members.lib.money import exponent
from members.programme.models import Programme
from members.purchases import unclaimed
from members.purchases.drafts import PurchaseDraft, ReturnDraft
from members.purchases.importing.background import in_background
from members.purchases.importing.grouping import Document, group_lines, instant_of, places_of
from members.purchases.importing.matching import unmatched_quantities
from members.purchases.importing.parsing import Reason, Rejected, number_in, parse_row
from members.purchases.importing.reading import Sheet, file_hash, find_sheet
from members.purchases.importing.report import write_report
from members.purchases.importing.spool import LineRow, Problem, Spool
from members.purchases.lateness import is_late, late_ones
from members.purchases.models import PurchaseImport, PurchaseKey
from members.purchases.recording import Recorded, decide_awards, post_awards
from members.purchases.returns import record_returns
from members.tiers.recalculation import recalculate

ORIGIN = "import"
READ_AT_ONCE = 5000
PURCHASES_AT_ONCE = 2000
MOST_LANES = 2
RETURNS_AT_ONCE = 500
LINES_AT_ONCE = 10_000
MOST_LINES_IN_DOCUMENT = 10_000
CUSTOMERS_AT_ONCE = 5000
_NEW_BETWEEN_COLLECTIONS = 50_000

# Told how far a stage ("reading", "purchases", "returns") has come, in rows or documents.
Say = Callable[[str, int], None]


class OtherOptions(Exception):
    """The file was imported before under another currency or shift; its documents are known with those."""


@dataclass
class Counts:
    """What a file holds and what became of it; money in minor units, ``rounding`` in fractions of one.

    ``kept`` purchases name no member and wait to be claimed; ``late`` ones are new and came too late to earn.
    ``known`` documents had been recorded before; ``problems`` counts the lines of the report by reason.
    """

    rows: int = 0
    purchases: int = 0
    returns: int = 0
    known: int = 0
    kept: int = 0
    late: int = 0
    members: int = 0
    amount: int = 0
    returned: int = 0
    rounding: str = "0"
    problems: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Outcome:
    """The counts; whether the file had been finished before; how many past points expired at once."""

    counts: Counts
    was_done: bool = False
    expired: int = 0


@dataclass
class _Run:
    """One pass over one file."""

    source: str
    currency: str
    spool: Spool
    shift: timedelta
    say: Say
    counts: Counts
    late_too: bool = False

    def purchase(self, document: Document) -> PurchaseDraft:
        """Return the document as a purchase."""
        return PurchaseDraft(
            source=self.source,
            number=document.number,
            member_id=document.member_id or 0,
            purchased_at=self.instant(document.at),
            currency=self.currency,
            lines=document.lines,
            origin=ORIGIN,
            backfilled=True,
        )

    def giving_back(self, document: Document) -> ReturnDraft:
        """Return the document as a return."""
        return ReturnDraft(
            source=self.source,
            number=document.number,
            member_id=document.member_id or 0,
            returned_at=self.instant(document.at),
            currency=self.currency,
            lines=document.lines,
            origin=ORIGIN,
            backfilled=True,
        )

    def instant(self, wall_clock: str) -> datetime:
        """Return when that was, in UTC."""
        return instant_of(wall_clock, self.shift, Programme.current().tz)

    def batches(self, *, returned: bool, size: int, named: bool = True) -> Iterator[list[Document]]:
        """Yield the documents that name a customer, or the others, by time, in lists that fit into memory."""
        batch: list[Document] = []
        lines = 0
        for document in group_lines(self.spool.documents(returned=returned, named=named)):
            if batch and (len(batch) >= size or lines + len(document.lines) > LINES_AT_ONCE):
                yield batch
                batch, lines = [], 0
            batch.append(document)
            lines += len(document.lines)
        if batch:
            yield batch

    def unmatched(self, document: Document, parts: Iterable[tuple[int, int]]) -> list[Problem]:
        """Return what the report says of parts (line of the file, quantity) that match no purchase."""
        return [Problem(place, document.number, Reason.NO_EARLIER_PURCHASE, str(quantity)) for place, quantity in parts]


def import_purchases(
    *,
    path: Path,
    source: str,
    currency: str,
    at: datetime,
    say: Say,
    shift_to: date | None = None,
    keep_unmatched: bool = False,
    late_too: bool = False,
    report: Path | None = None,
    dry_run: bool = False,
) -> Outcome:
    """Import a file of purchases and returns, each document once per (source, number).

    An import that was killed carries on. ``shift_to`` moves all dates by whole days so that the last purchase
    falls on that day. With ``keep_unmatched`` purchases without customer are kept for claiming instead of rejected.
    With ``late_too`` purchases earn that the programme's rule calls late.
    With ``dry_run`` nothing is written; returns are then matched within the file alone.
    Raises UnreadableFile (nothing was written), OtherOptions.
    """
    digest = file_hash(path)
    options: dict[str, object] = {"currency": currency, "shift_to": shift_to.isoformat() if shift_to else None}
    options |= {"keep_unmatched": True} if keep_unmatched else {}
    options |= {"late_too": True} if late_too else {}
    known = PurchaseImport.objects.filter(source=source, file_hash=digest).first()
    if known is not None and known.options != options:
        raise OtherOptions
    is_done = known is not None and known.state == PurchaseImport.State.DONE
    if known is not None and is_done and report is None and not dry_run:
        return Outcome(Counts(**known.counts), was_done=True)
    with Spool() as spool, _rarely_collected():
        run = _prepare(
            spool,
            find_sheet(path),
            source=source,
            currency=currency,
            shift_to=shift_to,
            say=say,
            keep_unmatched=keep_unmatched,
        )
        run.late_too = late_too
        if dry_run:
            _rehearse(run)
            expired = 0
        else:
            kept = known or PurchaseImport.objects.create(
                source=source, file_hash=digest, file_name=path.name[:200], options=options, started_at=at
            )
            expired = _record(run)
            _finish(kept, run.counts)
        if report is not None:
            write_report(report, spool.problems())
        return Outcome(run.counts, was_done=is_done, expired=expired)


@contextmanager
def _rarely_collected() -> Iterator[None]:
    """Let the garbage collector look seldom: the rows of a batch go with their last reference, it only counts them."""
    usual = gc.get_threshold()
    gc.freeze()
    gc.set_threshold(_NEW_BETWEEN_COLLECTIONS, *usual[1:])
    try:
        yield
    finally:
        gc.set_threshold(*usual)
        gc.unfreeze()


def _prepare(
    spool: Spool,
    sheet: Sheet,
    *,
    source: str,
    currency: str,
    shift_to: date | None,
    say: Say,
    keep_unmatched: bool,
) -> _Run:
    """Read the whole file into the spool."""
    counts = Counts()
    rounding = Decimal(0)
    minor_units = exponent(currency)
    lines: list[LineRow] = []
    problems: list[Problem] = []
    columns = sheet.columns
    for row in sheet.rows():
        counts.rows += 1
        try:
            if row.problem:
                raise Rejected(row.problem)
            line = parse_row(row.cells, columns, minor_units, keep_unmatched=keep_unmatched)
        except Rejected as rejected:
            problems.append(Problem(row.line, number_in(row.cells, columns), rejected.reason, rejected.cell))
        else:
            rounding += line.rounding
            lines.append((row.line, *line[:-1]))
        if counts.rows % READ_AT_ONCE == 0:
            spool.add(lines, problems)
            lines, problems = [], []
            say("reading", counts.rows)
    spool.add(lines, problems)
    say("reading", counts.rows)
    spool.group(MOST_LINES_IN_DOCUMENT)
    counts.amount, counts.returned = spool.amount(returned=False), spool.amount(returned=True)
    counts.rounding = str(rounding)
    return _Run(source, currency, spool, _shift(spool.last_purchase(), shift_to), say, counts)


def _shift(last_purchase: str | None, shift_to: date | None) -> timedelta:
    if last_purchase is None or shift_to is None:
        return timedelta(0)
    return shift_to - datetime.fromisoformat(last_purchase).date()


def _record(run: _Run) -> int:
    """Record everything; return how many past points expired at once."""
    _enrol(run)
    _record_purchases(run)
    _keep_unmatched(run)
    _record_returns(run)
    run.counts.problems = run.spool.problem_counts()
    expired = expire_due()
    recalculate(backfilled=True)
    return expired.points


def _enrol(run: _Run) -> None:
    for chunk in _customers(run.spool):
        run.counts.members += len(chunk) - len(_known_members(run.source, chunk))
        joined = {value: run.instant(at) for value, at in chunk}
        run.spool.name_members(enrol_members_in_bulk(source=run.source, joined=joined))


def _customers(spool: Spool) -> Iterator[list[tuple[str, str]]]:
    after = ""
    while chunk := spool.customers(after, CUSTOMERS_AT_ONCE):
        yield chunk
        after = chunk[-1][0]


def _known_members(source: str, chunk: list[tuple[str, str]]) -> dict[str, int]:
    rows = Identity.objects.filter(source=source, value__in=[value for value, _at in chunk])
    return dict(rows.values_list("value", "member_id"))


def _record_purchases(run: _Run) -> None:
    done = 0
    lanes = _lanes()
    for batch, results in in_background(_post_batch, _decided_batches(run, lanes), lanes=lanes):
        for document, recorded in zip(batch.documents, results, strict=True):
            if recorded.differs:
                problem = Problem(document.places[0], document.number, Reason.CONTENT_DIFFERS)
                run.spool.add_problems([problem])
            else:
                run.counts.purchases += 1
                run.counts.known += not recorded.is_new
                run.counts.late += recorded.is_new and is_late(recorded.breakdown)
        run.spool.add_problems(chain.from_iterable(document.strangers for document in batch.documents))
        done += len(batch.documents)
        run.say("purchases", done)


def _lanes() -> int:
    """Return by how many connections purchases are posted: one where caps let the earlier purchase go first."""
    return 1 if compiled_caps() else MOST_LANES


@dataclass(frozen=True)
class _Batch:
    """Documents with what each of them earns, ready to be posted."""

    documents: list[Document]
    awards: list[Decided]


def _decided_batches(run: _Run, lanes: int) -> Iterator[list[_Batch]]:
    """Yield batches in parts for the lanes; a member's purchases all take one lane, and so stay in their order."""
    for documents in run.batches(returned=False, size=PURCHASES_AT_ONCE):
        decided = decide_awards(drafts=[run.purchase(document) for document in documents], late_too=run.late_too)
        parts = [_Batch([], []) for _lane in range(lanes)]
        for document, award in zip(documents, decided, strict=True):
            part = parts[(document.member_id or 0) % lanes]
            part.documents.append(document)
            part.awards.append(award)
        yield parts


def _post_batch(batch: _Batch) -> list[Recorded]:
    return post_awards(batch.awards, post=award_purchases_of_file)


def _keep_unmatched(run: _Run) -> None:
    """Keep the purchases that name no customer, for whoever shows the receipt."""
    for documents in run.batches(returned=False, named=False, size=PURCHASES_AT_ONCE):
        results = unclaimed.keep_unmatched(drafts=[run.purchase(document) for document in documents])
        for document, kept in zip(documents, results, strict=True):
            if kept.differs:
                run.spool.add_problems([Problem(document.places[0], document.number, Reason.CONTENT_DIFFERS)])
            else:
                run.counts.kept += 1
                run.counts.known += not kept.is_new
            run.spool.add_problems(document.strangers)


def _new_among(run: _Run, batch: list[Document], drafts: list[PurchaseDraft]) -> list[PurchaseDraft]:
    """Return the drafts that nobody recorded yet; count the known and list those that differ."""
    stored = _stored_hashes(run.source, [draft.number for draft in drafts])
    for document, draft in zip(batch, drafts, strict=True):
        kept = stored.get(draft.number)
        if kept is not None and kept != draft.content_hash:
            run.spool.add_problems([Problem(document.places[0], draft.number, Reason.CONTENT_DIFFERS)])
        elif kept is not None:
            run.counts.purchases += 1
            run.counts.known += 1
    return [draft for draft in drafts if draft.number not in stored]


def _stored_hashes(source: str, numbers: list[str]) -> dict[str, str]:
    rows = PurchaseKey.objects.filter(source=source, number__in=numbers)
    return dict(rows.values_list("number", "content_hash"))


def _record_returns(run: _Run) -> None:
    done = 0
    for batch in run.batches(returned=True, size=RETURNS_AT_ONCE):
        _record_return_batch(run, batch)
        done += len(batch)
        run.say("returns", done)


def _record_return_batch(run: _Run, batch: list[Document]) -> None:
    problems, known = _post_returns(run, batch)
    run.spool.add_problems(problems)
    run.spool.add_problems(chain.from_iterable(document.strangers for document in batch))
    differing = sum(problem.reason is Reason.CONTENT_DIFFERS for problem in problems)
    run.counts.returns += len(batch) - differing
    run.counts.known += known


def _post_returns(run: _Run, batch: list[Document]) -> tuple[list[Problem], int]:
    """Record returns in one transaction; give back their problems and how many were known."""
    problems: list[Problem] = []
    known = 0
    results = record_returns(drafts=[run.giving_back(document) for document in batch])
    for document, recorded in zip(batch, results, strict=True):
        if recorded.differs:
            problems.append(Problem(document.places[0], document.number, Reason.CONTENT_DIFFERS))
            continue
        known += not recorded.is_new
        parts = places_of(recorded.unmatched, document)
        problems += run.unmatched(document, [(place, part.quantity) for place, part in parts])
    return problems, known


def _finish(kept: PurchaseImport, counts: Counts) -> None:
    if kept.state == PurchaseImport.State.DONE:
        return
    kept.state = PurchaseImport.State.DONE
    kept.counts = asdict(counts)
    kept.finished_at = database_now()
    kept.save(update_fields=["state", "counts", "finished_at"])


def _rehearse(run: _Run) -> None:
    """Count what a real run would do, without writing."""
    for chunk in _customers(run.spool):
        members = _known_members(run.source, chunk)
        run.counts.members += len(chunk) - len(members)
        run.spool.name_members(members)
    for batch in run.batches(returned=False, size=PURCHASES_AT_ONCE):
        fresh = _new_among(run, batch, [run.purchase(document) for document in batch])
        run.counts.purchases += len(fresh)
        run.counts.late += 0 if run.late_too else len(late_ones(fresh))
        run.spool.add_problems(chain.from_iterable(document.strangers for document in batch))
    for batch in run.batches(returned=False, named=False, size=PURCHASES_AT_ONCE):
        run.counts.kept += len(batch)
        run.spool.add_problems(chain.from_iterable(document.strangers for document in batch))
    run.spool.prepare_matching()
    for batch in run.batches(returned=True, size=RETURNS_AT_ONCE):
        _rehearse_returns(run, batch)
    run.counts.problems = run.spool.problem_counts()


def _rehearse_returns(run: _Run, batch: list[Document]) -> None:
    stored = _stored_hashes(run.source, [document.number for document in batch])
    for document in batch:
        kept = stored.get(document.number)
        if kept is not None and kept != run.giving_back(document).content_hash:
            run.spool.add_problems([Problem(document.places[0], document.number, Reason.CONTENT_DIFFERS)])
            continue
        run.counts.returns += 1
        run.counts.known += kept is not None
        run.spool.add_problems(run.unmatched(document, unmatched_quantities(run.spool, document)))
        run.spool.add_problems(document.strangers)

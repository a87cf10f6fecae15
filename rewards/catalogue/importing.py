"""Reading the catalogue from a file: line by line what would change, then all of it or nothing."""

import csv
import io
import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from members.accounts.models import Store
from members.events.audit_log import write_audit
from members.lib.money import TooManyDecimals, to_minor
from members.lib.transactions import retried
from members.programme.models import Programme
from members.tiers.models import Tier
from rewards.catalogue import kinds
from rewards.catalogue.checking import problems_of
from rewards.catalogue.columns import COLUMNS, INSTANTS, LISTS, MONEY, NUMBERS, PLAIN, SWITCHES, row_of
from rewards.catalogue.exporting import FORMULA
from rewards.catalogue.models import Category, Reward, RewardLimit, RewardTierPrice
from rewards.partners.models import Partner

MOST_LINES = 5000
NEW, CHANGED, SAME, WRONG = "new", "changed", "same", "wrong"


# An id of another installation is kept, so that a repeat finds its reward.
_ID = re.compile(r"rwd_[0-9a-y]{17}")


class UnreadableCatalogue(Exception):
    """The file is no catalogue at all; the message says why."""


class Unreadable(Exception):
    """One value cannot be read; the message says why."""


@dataclass
class Line:
    """What one line of the file does: NEW, CHANGED, SAME or WRONG, which columns change, and what is wrong."""

    number: int
    name: str
    action: str = SAME
    changes: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Report:
    """What became of a file. Nothing is written when one line is wrong, or in a dry run."""

    lines: list[Line]
    is_written: bool

    def count(self, action: str) -> int:
        """Return how many lines do this."""
        return sum(line.action == action for line in self.lines)

    @property
    def counts(self) -> dict[str, int]:
        """How many lines do what."""
        return {action: self.count(action) for action in (NEW, CHANGED, SAME, WRONG)}


class _Undo(Exception):
    """Take back what was tried."""


@retried
def import_catalogue(*, text: str, dry_run: bool, actor_id: int | None) -> Report:
    """Make and change rewards as a CSV or JSON file says, all of them or none.

    A line means the reward with its ``code``, else with its ``public_id``; a new reward needs one of them, so that a
    repeat changes nothing. Columns that are missing stay as they are; empty ones empty the field. With an error in any
    line, or in a dry run, nothing is written. Writes one audit row. Raises UnreadableCatalogue.
    """
    rows = read_rows(text)
    lines: list[Line] = []
    try:
        # Of its own, so that what a dry run tried leaves nothing behind in a caller's transaction either.
        with transaction.atomic():
            lines = _apply(rows)
            if dry_run or any(line.problems for line in lines):
                raise _Undo
            counts = Report(lines, is_written=True).counts
            write_audit(actor_id=actor_id, action="catalogue.imported", target="catalogue", reason="", data=counts)
    except _Undo:
        return Report(lines, is_written=False)
    return Report(lines, is_written=True)


def read_rows(text: str) -> list[dict[str, str]]:
    """Return the rows of a CSV or JSON text, with known columns only. Raises UnreadableCatalogue."""
    text = text.removeprefix("\ufeff")
    rows = _json_rows(text) if text.lstrip().startswith("[") else _csv_rows(text)
    if len(rows) > MOST_LINES:
        raise UnreadableCatalogue(_("The file has more than %(count)s lines.") % {"count": MOST_LINES})
    unknown = sorted({name for row in rows for name in row} - set(COLUMNS))
    if unknown:
        raise UnreadableCatalogue(_("Unknown columns: %(names)s") % {"names": ", ".join(unknown)[:200]})
    return rows


def _json_rows(text: str) -> list[dict[str, str]]:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as problem:
        raise UnreadableCatalogue(_("This is not JSON.")) from problem
    if not all(isinstance(row, dict) for row in found):
        raise UnreadableCatalogue(_("A line is not an object."))
    return [{str(name): _as_text(value) for name, value in row.items()} for row in found]


def _as_text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value)


def _csv_rows(text: str) -> list[dict[str, str]]:
    reader = csv.DictReader(io.StringIO(text, newline=""), strict=True)
    try:
        rows = [{name: _without_guard(value or "") for name, value in row.items()} for row in reader]
    except (csv.Error, AttributeError, TypeError) as problem:
        raise UnreadableCatalogue(_("This is not a CSV file: %(why)s") % {"why": problem}) from problem
    if not rows or any(None in row for row in rows):
        raise UnreadableCatalogue(_("The file is empty, or a line has more values than there are columns."))
    return rows


def _without_guard(value: str) -> str:
    """Take off the apostrophe that keeps a spreadsheet from running the value."""
    return value[1:] if value.startswith("'") and value[1:].startswith((*FORMULA, "'")) else value


def _apply(rows: Sequence[Mapping[str, str]]) -> list[Line]:
    known = _Known(rows)
    lines = []
    seen: set[str] = set()
    for number, row in enumerate(rows, start=2):
        line = Line(number, row.get("name_en", "") or row.get("code", "") or row.get("public_id", ""))
        key = row.get("code") or row.get("public_id") or ""
        if key in seen:
            line.problems.append(_("The reward stands in the file twice."))
        seen.add(key)
        if not line.problems:
            _apply_row(row, line, known)
        line.action = WRONG if line.problems else line.action
        lines.append(line)
    return lines


class _Known:
    """What the lines may name: rewards (locked, in order of their ids), categories, tiers, partners, stores."""

    def __init__(self, rows: Sequence[Mapping[str, str]]) -> None:
        codes = {row.get("code", "") for row in rows} - {""}
        ids = {row.get("public_id", "") for row in rows} - {""}
        locked = Reward.objects.select_for_update(no_key=True, of=("self",)).order_by("pk")
        rewards = [*locked.filter(code__in=codes), *locked.filter(public_id__in=ids)]
        self.by_code: dict[str, Reward] = {reward.code: reward for reward in rewards if reward.code}
        self.by_id: dict[str, Reward] = {reward.public_id: reward for reward in rewards}
        self.category = {each.slug: each for each in Category.objects.all()}
        self.minimum_tier = {each.code: each for each in Tier.objects.filter(tier_set__is_current=True)}
        self.partner = {each.code: each for each in Partner.objects.all()}
        self.stores = {each.code: each for each in Store.objects.all()}

    def reward(self, row: Mapping[str, str]) -> Reward | None:
        """Return the reward that a line means, None for a new one. Raises Unreadable."""
        code, public_id = row.get("code", ""), row.get("public_id", "")
        if code in self.by_code:
            return self.by_code[code]
        if public_id in self.by_id:
            return self.by_id[public_id]
        if public_id and not _ID.fullmatch(public_id):
            raise Unreadable(_("There is no reward with this id."))
        if not (code or public_id):
            raise Unreadable(_("A new reward needs a code."))
        return None


def _apply_row(row: Mapping[str, str], line: Line, known: _Known) -> None:
    try:
        reward = known.reward(row)
    except Unreadable as problem:
        line.problems.append(str(problem))
        return
    before = row_of(reward) if reward else {}
    is_new = reward is None
    if reward is not None and row.get("kind", reward.kind) != reward.kind and reward.redemptions.exists():
        line.problems.append(f"kind: {_('Members have redeemed it: its kind stays.')}")
    reward = reward or Reward(is_active=False, **({"public_id": row["public_id"]} if row.get("public_id") else {}))
    lists = _fill(reward, row, line, known)
    if not line.problems:
        line.problems += _checked(reward)
    if not line.problems:
        reward.save()
        _keep_lists(reward, lists)
        after = row_of(Reward.objects.get(pk=reward.pk))
        line.changes = [name for name in COLUMNS if not is_new and before[name] != after[name]]
        line.action = NEW if is_new else CHANGED if line.changes else SAME


def _fill(reward: Reward, row: Mapping[str, str], line: Line, known: _Known) -> dict[str, list[Any]]:
    """Put the values of a line into the reward; return its lists, and note what cannot be read."""
    lists: dict[str, list[Any]] = {}
    reward.currency = row.get("currency", reward.currency)
    if row.get("code"):
        reward.code = row["code"]
    for name, text in row.items():
        try:
            if name in LISTS:
                lists[name] = _list_of(name, text, known)
            elif name not in {"code", "public_id"}:
                setattr(reward, name, _value(name, text.strip() if name not in PLAIN else text, reward, known))
        except Unreadable as problem:
            line.problems.append(f"{name}: {problem}")
    return lists


def _value(name: str, text: str, reward: Reward, known: _Known) -> Any:
    if name in PLAIN:
        return text or _default(name)
    if not text:
        return _default(name)
    for names, read in _READERS:
        if name in names:
            return read(text, reward)
    return _linked(name, text, known)


def _default(name: str) -> Any:
    return getattr(Reward(), name)


def _number(text: str, _reward: Reward) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise Unreadable(_("“%(text)s” is not a whole number.") % {"text": text[:40]})
    return int(text)


def _switch(text: str, _reward: Reward) -> bool:
    words = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}
    if text.lower() not in words:
        raise Unreadable(_("“%(text)s” is neither true nor false.") % {"text": text[:40]})
    return words[text.lower()]


def _instant(text: str, _reward: Reward) -> datetime:
    try:
        found = datetime.fromisoformat(text)
    except ValueError as problem:
        raise Unreadable(
            _("“%(text)s” is no date and time such as 2026-05-01T10:00.") % {"text": text[:40]}
        ) from problem
    return found if found.tzinfo else found.replace(tzinfo=Programme.current().tz)


def _amount(text: str, reward: Reward) -> int:
    try:
        amount = Decimal(text)
        minor = to_minor(amount, reward.money_currency) if amount.is_finite() else -1
    except (InvalidOperation, TooManyDecimals) as problem:
        raise Unreadable(_("“%(text)s” is no amount such as 5.00.") % {"text": text[:40]}) from problem
    if not 0 <= minor < 10**12:
        raise Unreadable(_("“%(text)s” is no amount such as 5.00.") % {"text": text[:40]})
    return minor


_READERS: tuple[tuple[tuple[str, ...], Callable[[str, Reward], Any]], ...] = (
    (NUMBERS, _number),
    (SWITCHES, _switch),
    (INSTANTS, _instant),
    (MONEY, _amount),
)


def _linked(name: str, text: str, known: _Known) -> Any:
    found = getattr(known, name).get(text)
    if found is None:
        raise Unreadable(_("“%(text)s” does not exist.") % {"text": text[:40]})
    return found


def _list_of(name: str, text: str, known: _Known) -> list[Any]:
    if name == "stores":
        return [_linked("stores", code, known) for code in text.split()]
    pairs = [each.partition(":") for each in text.split()]
    if len({first for first, _colon, _second in pairs}) < len(pairs):
        raise Unreadable(_("One thing stands there twice."))
    return [_pair(name, first, second, known) for first, _colon, second in pairs]


def _pair(name: str, first: str, second: str, known: _Known) -> tuple[Any, int]:
    number = _number(second, Reward())
    if number == 0:
        raise Unreadable(_("“%(text)s” is not a whole number.") % {"text": second})
    if name == "tier_prices":
        return _linked("minimum_tier", first, known), number
    if first not in Reward.Period.values:
        raise Unreadable(_("“%(text)s” does not exist.") % {"text": first[:40]})
    return first, number


def _checked(reward: Reward) -> list[str]:
    """Return what is wrong with the whole reward."""
    if reward.kind not in dict(kinds.choices()):
        return [f"kind: {_('“%(text)s” does not exist.') % {'text': reward.kind[:40]}}"]
    fields = {each.name: getattr(reward, each.name) for each in reward._meta.fields}  # noqa: SLF001
    found = [f"{problem.field}: {problem.text}" for problem in problems_of(fields)]
    try:
        reward.full_clean(exclude=["image"])
    except ValidationError as problem:
        found += [f"{name}: {text}" for name, texts in problem.message_dict.items() for text in texts]
    return found


def _keep_lists(reward: Reward, lists: Mapping[str, Iterable[Any]]) -> None:
    if "stores" in lists:
        reward.stores.set(lists["stores"])
    if "limits" in lists:
        reward.limits.all().delete()
        RewardLimit.objects.bulk_create(RewardLimit(reward=reward, period=one, times=n) for one, n in lists["limits"])
    if "tier_prices" in lists:
        reward.tier_prices.all().delete()
        prices = [RewardTierPrice(reward=reward, tier=tier, points=points) for tier, points in lists["tier_prices"]]
        RewardTierPrice.objects.bulk_create(prices)

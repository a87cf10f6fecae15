"""The awards as parameters of the award statements: one a column, as a value for one award or an array for many."""

from collections.abc import Sequence
from datetime import datetime
from operator import attrgetter
from typing import Any, NamedTuple

import msgspec

from members.ledger.award_rows import Award, Reserved
from members.lib.prepared import Parameter, array_of, array_of_texts

_NEVER_LEFT_OUT = object()


class Column(NamedTuple):
    """A column of the award: its type, and the value that may be left out where no row has another."""

    name: str
    type: str
    usual: Any = _NEVER_LEFT_OUT


AWARD_COLUMNS = (
    Column("source", "text"),
    Column("number", "text"),
    Column("content_hash", "text"),
    Column("member_id", "bigint"),
    Column("purchased_at", "timestamptz"),
    Column("currency", "text"),
    Column("amount", "bigint"),
    Column("origin", "text"),
    Column("points", "bigint"),
    Column("breakdown", "jsonb"),
    Column("backfilled", "boolean", usual=False),
    Column("store_id", "bigint", usual=None),
    Column("shipping", "bigint", usual=None),
    Column("points_paid", "bigint", usual=None),
    Column("gift_card_paid", "bigint", usual=None),
    Column("invoice", "text", usual=""),
    Column("buyer_tax_id", "text", usual=""),
)
LINE_COLUMNS = (
    Column("sku", "text"),
    Column("quantity", "integer"),
    Column("amount", "bigint"),
    Column("category", "text", usual=""),
    Column("description", "text", usual=""),
    Column("brand", "text", usual=""),
    Column("tax", "bigint", usual=None),
    Column("discount", "bigint", usual=None),
)
LOT_COLUMNS = (
    Column("points", "bigint"),
    Column("available_from", "timestamptz", usual=None),
    Column("expires_at", "timestamptz", usual=None),
    Column("notice_due", "boolean", usual=False),
    Column("paid", "bigint", usual=0),
)
STATUS_COLUMNS = (Column("status_points", "bigint"), Column("status_from", "timestamptz"))
RESERVED_COLUMNS = (Column("purchase_id", "bigint"), Column("entry_id", "bigint"), Column("paid", "bigint"))
# Which award a line or a lot belongs to, counted from 1.
PLACE = Column("place", "integer")


def parameters_of_one(award: Award, *, status: bool) -> list[Parameter]:
    """Return the parameters of the statements for one award: its own values, then arrays of its lines and lots."""
    values = _AWARD(award) + (_STATUS(award) if status else ())
    columns = _OF_ONE_WITH_STATUS if status else AWARD_COLUMNS
    return [
        *[_value(column.type, value) for column, value in zip(columns, values, strict=True)],
        *_arrays(LINE_COLUMNS, _LINE, award.lines),
        *_arrays(LOT_COLUMNS, _LOT, award.lots),
    ]


def parameters_of(awards: Sequence[Award], *, status: bool) -> list[Parameter]:
    """Return the parameters of the statements for many awards: arrays of awards, of all lines and of all lots."""
    return [
        *_arrays(AWARD_COLUMNS, _AWARD, awards),
        *(_arrays(STATUS_COLUMNS, _STATUS, awards) if status else []),
        array_of([place for place, award in enumerate(awards, 1) for _line in award.lines]),
        *_arrays(LINE_COLUMNS, _LINE, [line for award in awards for line in award.lines]),
        array_of([place for place, award in enumerate(awards, 1) for _lot in award.lots]),
        *_arrays(LOT_COLUMNS, _LOT, [lot for award in awards for lot in award.lots]),
    ]


def parameters_of_reserved(rows: Sequence[Reserved]) -> list[Parameter]:
    """Return the parameters of the statements for awards whose keys are taken: with status points, then the ids."""
    awards = parameters_of([row.award for row in rows], status=True)
    return awards + _arrays(RESERVED_COLUMNS, _RESERVED, rows)


_OF_ONE_WITH_STATUS = AWARD_COLUMNS + STATUS_COLUMNS
_AWARD, _LINE, _LOT, _STATUS, _RESERVED = (
    attrgetter(*[column.name for column in columns])
    for columns in (AWARD_COLUMNS, LINE_COLUMNS, LOT_COLUMNS, STATUS_COLUMNS, RESERVED_COLUMNS)
)


def _value(kind: str, value: Any) -> Parameter:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, datetime):
        return value.isoformat()
    return msgspec.json.encode(value).decode() if kind == "jsonb" else str(value)


def _arrays(columns: Sequence[Column], values_of: Any, rows: Sequence[Any]) -> list[Parameter]:
    by_column = zip(*map(values_of, rows), strict=True) if rows else [()] * len(columns)
    return [_array(column, values) for column, values in zip(columns, by_column, strict=True)]


def _array(column: Column, values: Sequence[Any]) -> Parameter:
    if values.count(column.usual) == len(values):
        return None
    if column.type == "text":
        return array_of_texts(values)
    return msgspec.json.encode(values).decode() if column.type == "jsonb" else array_of(values)

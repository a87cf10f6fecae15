"""The once-only keys of returns, taken and read for many documents at once."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from django.db import connection
from django.db.models import Q

from members.accounts.access import history_ids
from members.ledger.models import PointsEntry, PointType
from members.purchases.drafts import DraftLine, ReturnDraft
from members.purchases.models import PurchaseKey, Return, ReturnLine

_Document = tuple[str, str]

# Of two drafts of one document the first is taken. Keys go in their order, so that batches never wait in a circle.
_TAKE_ON_POSTGRES = """
INSERT INTO members_purchasekey (source, number, document, document_id, content_hash)
SELECT x.source, x.number, 'RETURN', nextval('members_return_id_seq'), x.content_hash
FROM (SELECT * FROM jsonb_to_recordset(%s::jsonb) AS y(place int, source text, number text, content_hash text)
      ORDER BY source, number, place) x
ON CONFLICT (source, number) DO NOTHING RETURNING source, number, document_id
"""
_TAKE_ON_SQLITE = """
INSERT INTO members_purchasekey (source, number, document, document_id, content_hash)
SELECT json_extract(value, '$.source'), json_extract(value, '$.number'), 'RETURN',
       (SELECT coalesce(max(id), 0) FROM members_return) + json_extract(value, '$.place') + 1,
       json_extract(value, '$.content_hash')
FROM json_each(%s) WHERE true ORDER BY json_extract(value, '$.place')
ON CONFLICT (source, number) DO NOTHING RETURNING source, number, document_id
"""


@dataclass(frozen=True)
class Known:
    """A document that was recorded before; figures only when it is a return."""

    document: str
    content_hash: str
    return_id: int
    points_taken: int
    unmatched: tuple[DraftLine, ...]
    member_id: int | None = None

    def differs_from(self, draft: ReturnDraft) -> bool:
        """Tell whether the draft is another document; that its member was merged since then makes it no other."""
        if self.document != PurchaseKey.Document.RETURN:
            return True
        if self.content_hash == draft.content_hash:
            return False
        if self.member_id is None or self.member_id not in history_ids(draft.member_id):
            return True
        return self.content_hash != replace(draft, member_id=self.member_id).content_hash


def entry_key(return_id: int, purchase_id: int, point_type: str = PointType.SPENDABLE) -> str:
    """Return the once-only key of the entry that a return posts for a purchase."""
    key = f"return:{return_id}:{purchase_id}"
    return key if point_type == PointType.SPENDABLE else f"{key}:status"


def take_keys(drafts: Sequence[ReturnDraft]) -> dict[_Document, int]:
    """Take the keys that are free; return the id of each new return. One statement."""
    if not drafts:
        return {}
    rows = [
        {"place": place, "source": draft.source, "number": draft.number, "content_hash": draft.content_hash}
        for place, draft in enumerate(drafts)
    ]
    statement = _TAKE_ON_POSTGRES if connection.vendor == "postgresql" else _TAKE_ON_SQLITE
    with connection.cursor() as cursor:
        cursor.execute(statement, [json.dumps(rows)])
        return {(source, number): return_id for source, number, return_id in cursor.fetchall()}


def known_returns(drafts: Iterable[ReturnDraft]) -> dict[_Document, Known]:
    """Return what was recorded before under the numbers of these drafts: five reads, however many."""
    keys = _stored_keys({(draft.source, draft.number) for draft in drafts})
    return_ids = [key.document_id for key in keys if key.document == PurchaseKey.Document.RETURN]
    taken, unmatched = _points_taken(return_ids), _unmatched(return_ids)
    owners = dict(Return.objects.filter(pk__in=return_ids).values_list("pk", "member_id")) if return_ids else {}
    return {
        (key.source, key.number): Known(
            document=key.document,
            content_hash=key.content_hash,
            return_id=key.document_id,
            points_taken=taken.get(key.document_id, 0),
            unmatched=tuple(unmatched.get(key.document_id, ())),
            member_id=owners.get(key.document_id),
        )
        for key in keys
    }


def _stored_keys(documents: set[_Document]) -> list[PurchaseKey]:
    if not documents:
        return []
    any_of = Q(pk=None)
    for source in sorted({source for source, _number in documents}):
        any_of |= Q(source=source, number__in=[number for named, number in documents if named == source])
    return list(PurchaseKey.objects.filter(any_of))


def _points_taken(return_ids: Sequence[int]) -> dict[int, int]:
    if not return_ids:
        return {}
    lines = ReturnLine.objects.filter(returned__in=return_ids, purchase_line__isnull=False)
    touched = set(lines.values_list("returned_id", "purchase_line__purchase_id"))
    named = Return.objects.filter(pk__in=return_ids, purchase__isnull=False)
    touched |= set(named.values_list("pk", "purchase_id"))
    keys = {entry_key(return_id, purchase_id): return_id for return_id, purchase_id in touched}
    taken: dict[int, int] = {}
    for key, points in PointsEntry.objects.filter(key__in=keys).values_list("key", "points"):
        taken[keys[key]] = taken.get(keys[key], 0) - points
    return taken


def _unmatched(return_ids: Sequence[int]) -> dict[int, list[DraftLine]]:
    if not return_ids:
        return {}
    found: dict[int, list[DraftLine]] = {}
    for line in ReturnLine.objects.filter(returned__in=return_ids, purchase_line=None).order_by("pk"):
        found.setdefault(line.returned_id, []).append(DraftLine(line.sku, line.quantity, line.amount))
    return found

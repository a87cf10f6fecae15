"""What the page of one member shows: a fixed number of reads, however long the history."""

from datetime import date, datetime, timedelta
from typing import Any

from members.accounts.access import history_ids
from members.admin.trail import login_name
from members.earning.explanation import explain
from members.ledger.models import PointType
from members.ledger.reinstating import reinstatable
from members.ledger.statements import balance_of, history_page
from members.ledger.time_travel import balance_at, lots_at
from members.lib import periods
from members.lib.money import format_money
from members.models import (
    AdjustmentRequest,
    Audit,
    Consent,
    Identity,
    Member,
    PointsAccount,
    PointsEntry,
    PointsLot,
    Purchase,
    Return,
    Standing,
)
from members.programme.models import Programme
from members.tiers.models import TierSet
from members.tiers.standing import TierProgress, outlook, progress
from members.tiers.words import asked_in_words, outlook_in_words

ENTRIES = 20
OTHERS = 10


def facts(member: Member, at: datetime, *, with_person: bool) -> dict[str, Any]:
    """Return the context of the page; the person only for those who may see persons."""
    blocked = PointsAccount.objects.filter(member=member, blocked_at__isnull=False)
    entries = list(history_page(member.pk, limit=ENTRIES).rows)
    asked = list(
        AdjustmentRequest.objects.filter(member=member).select_related("requested_by").order_by("-pk")[:OTHERS]
    )
    found = progress(member.pk, at)
    can_come_back = reinstatable(entries, at=at)
    return {
        "person": member.person if with_person else None,
        "birthday": _birthday(member) if with_person else "",
        "login": login_name(member.user) if with_person else "",
        "balance": balance_of(member.pk, at),
        "blocked_at": blocked.values_list("blocked_at", flat=True).first(),
        "progress": found,
        "counted": _figure(found, found.qualified) if found else "",
        "needed": _figure(found, found.needed) if found and found.next else "",
        "asked": asked_in_words(found.asked) if found else [],
        "outlook": found and outlook_in_words(found, outlook(member.pk, found)),
        "tier_ends": _tier_ends(found) if found else {},
        "entries": [
            {"entry": entry, "sentences": explain(entry), "can_come_back": entry.pk in can_come_back}
            for entry in entries
        ],
        "lots": _lots(member),
        "purchases": [_document(row, row.purchased_at) for row in _latest(Purchase, member)],
        "returns": [_document(row, row.returned_at) for row in _latest(Return, member)],
        "standings": Standing.objects.filter(member__in=history_ids(member.pk))
        .select_related("tier")
        .order_by("-pk")[:OTHERS],
        "consents": Consent.objects.filter(member=member).order_by("-pk")[:OTHERS],
        "identities": Identity.objects.filter(member=member).exclude(source="staff").order_by("pk")[:OTHERS],
        "merged": member.merged_members.order_by("pk")[:OTHERS],
        "requests": asked,
        "audit": _audit(entries, asked),
    }


def as_of(member: Member, day: date) -> dict[str, Any]:
    """Return what the member had at the end of a day of the programme's calendar, as it was recorded then."""
    zone = Programme.current().tz
    at = periods.start_of_day(day + timedelta(days=1), zone) - timedelta(microseconds=1)
    return {"day": day, "balance": balance_at(member.pk, at), "lots": lots_at(member.pk, at)[:ENTRIES]}


def _lots(member: Member) -> list[dict[str, Any]]:
    zone = Programme.current().tz
    lots = PointsLot.objects.filter(
        account__member=member, account__point_type=PointType.SPENDABLE, remaining__gt=0
    ).order_by("expires_at", "pk")[:ENTRIES]
    return [
        {"lot": lot, "last_day": periods.last_usable_day(lot.expires_at, zone) if lot.expires_at else None}
        for lot in lots
    ]


def _latest(model: Any, member: Member) -> Any:
    return model.objects.filter(member__in=history_ids(member.pk)).select_related("store").order_by("-pk")[:OTHERS]


def _document(row: Purchase | Return, at: datetime) -> dict[str, Any]:
    return {"row": row, "at": at, "amount": format_money(row.amount, row.currency)}


def _tier_ends(found: TierProgress) -> dict[str, date]:
    """Return the last days of what protects the tier, where there is such an end."""
    ends = {"keep": found.keep_until, "grace": found.grace_until, "granted": found.granted_until}
    zone = Programme.current().tz
    return {name: periods.last_usable_day(end, zone) for name, end in ends.items() if end}


def _figure(found: TierProgress, figure: int) -> str:
    if found.basis == TierSet.Basis.SPEND:
        return format_money(figure, Programme.current().currency)
    return f"{figure:,}"


def _birthday(member: Member) -> str:
    person = member.person
    if person.birth_month is None:
        return ""
    day = f"{person.birth_month:02d}-{person.birth_day:02d}"
    return f"{person.birth_year}-{day}" if person.birth_year else day


def _audit(entries: list[PointsEntry], asked: list[AdjustmentRequest]) -> list[dict[str, Any]]:
    targets = [f"entry {entry.pk}" for entry in entries if entry.actor_id]
    targets += [f"adjustment {request.pk}" for request in asked]
    rows = Audit.objects.filter(target__in=targets).select_related("actor").order_by("-pk")[:OTHERS]
    return [{"row": row, "who": login_name(row.actor)} for row in rows]

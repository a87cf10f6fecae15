"""Enrolling at the till: phone, name and what the member allows us to send."""

from datetime import datetime

from django.db import connection, transaction

from members.accounts.consent import record_consent
from members.accounts.enrolment import enrol_member
from members.accounts.models import Consent, Member, Store, User
from members.events.audit_log import write_audit
from members.ledger.adjustments import OwnAccount
from members.lib.clock import database_now
from members.lib.transactions import retried
from rewards.till.models import TillAct
from rewards.till.scanning import KeyAlreadyUsed, take_key

SOURCE = "till"
# Of the words beside the box on the till's page; raise it whenever they change.
TEXT_VERSION = "till-1"


class PhoneKnown(Exception):
    """A member has this number already: nobody is enrolled twice. ``member_id`` says who."""

    def __init__(self, member_id: int) -> None:
        super().__init__(member_id)
        self.member_id = member_id


@retried
def enrol(
    *,
    phone: str,
    name: str,
    language: str,
    may_send_offers: bool,
    key: str,
    actor_id: int,
    store_id: int,
    at: datetime | None = None,
) -> Member:
    """Return a new member of this store, once per clerk and key; ``phone`` is E.164.

    ``may_send_offers`` records the consent to offers by SMS, with the version of its words and the clerk who typed it;
    without it nothing is recorded, and nothing is allowed. Two clerks with the same number come one after the other.
    Raises PhoneKnown, OwnAccount for the clerk's own number, or KeyAlreadyUsed.
    """
    now = at or database_now()
    mine = TillAct(kind=TillAct.Kind.ENROL, key=key, actor_id=actor_id, store_id=store_id, at=now)
    with transaction.atomic():
        first = take_key(mine)
        if first is None:
            return _enrol(mine, phone=phone, name=name, language=language, may_send_offers=may_send_offers)
    if first.kind != TillAct.Kind.ENROL or first.member is None:
        raise KeyAlreadyUsed(key)
    return first.member


def _enrol(mine: TillAct, *, phone: str, name: str, language: str, may_send_offers: bool) -> Member:
    if User.objects.filter(pk=mine.actor_id, phone=phone).exists():
        raise OwnAccount
    _lock_phone(phone)
    known = Member.objects.active().filter(person__phone=phone).order_by("pk").first()
    if known is not None:
        raise PhoneKnown(known.pk)
    member = enrol_member(
        source=SOURCE, joined_at=mine.at, language=language, name=name, phone=phone,
        store=Store.objects.get(pk=mine.store_id),
    )  # fmt: skip
    mine.member = member
    mine.save(update_fields=["member"])
    if may_send_offers:
        record_consent(
            member_id=member.pk, channel=Consent.Channel.SMS, purpose=Consent.Purpose.MARKETING, granted=True,
            source=SOURCE, actor_id=mine.actor_id, text_version=TEXT_VERSION, at=mine.at,
        )  # fmt: skip
    data = {"member": member.pk, "store": mine.store_id}
    write_audit(
        actor_id=mine.actor_id, action="member.enrolled", target=f"member:{member.number}", reason="", data=data
    )
    return member


def _lock_phone(phone: str) -> None:
    """Let enrolments of one number come one after the other. SQLite has one writer anyway."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended('till:' || %s, 0))", [phone])

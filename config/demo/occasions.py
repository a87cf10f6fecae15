"""What else has happened to the member: points set aside, ended and given, a household, a lost receipt."""

from datetime import datetime, timedelta

from config.demo.people import SOURCE
from members.accounts.enrolment import enrol_member
from members.accounts.models import Member, Store
from members.households.joining import accept_invite, invite, start_household
from members.households.sharing import belonging_of
from members.ledger.expiry import expire_due
from members.ledger.giving import give_points
from members.ledger.holds import hold
from members.lib.periods import local_day, local_instant
from members.programme.models import Programme
from members.purchases.drafts import DraftLine, PurchaseDraft
from members.purchases.recording import record_purchase
from members.purchases.unclaimed import keep_unmatched

KEY = "demonstration"
PARTNER = "Tom Carter"
SET_ASIDE = 40
SET_ASIDE_DAYS = 30
GIVEN = 25
MONTHLY_LIMIT = 300
# Paid at the till without a card two days before: 27.50 pounds. The member can claim it on "Forgot your card?".
FORGOTTEN_RECEIPT = "HS-4711"


def load_occasions(member: Member, now: datetime) -> None:
    """Let it happen, each once."""
    expire_due(at=now, member_ids=[member.pk])
    partner = _enrol_partner(now)
    _share_a_household(member, partner)
    give_points(from_member_id=partner.pk, to_member_id=member.pk, points=GIVEN, key=KEY, note="For our tea on Sunday")
    hold(
        member_id=member.pk,
        points=SET_ASIDE,
        key=f"{KEY}:hold",
        reason="",
        expires_at=now + timedelta(days=SET_ASIDE_DAYS),
    )
    _leave_the_card_at_home(now)


def _enrol_partner(now: datetime) -> Member:
    """Return whom the member lives with, after one purchase."""
    partner = enrol_member(
        source=KEY,
        identity="partner",
        name=PARTNER,
        email="tom.carter@example.com",
        joined_at=now - timedelta(days=20),
    )
    record_purchase(
        draft=PurchaseDraft(
            source=SOURCE,
            number="DEMO-101",
            member_id=partner.pk,
            purchased_at=_at_noon(partner.joined_at, 1),
            currency="GBP",
            lines=(DraftLine("VAS-1", 4, 22_400, "home", "Glass vase"),),
            origin="import",
            backfilled=True,
        )
    )
    return partner


def _share_a_household(member: Member, partner: Member) -> None:
    if belonging_of(member.pk) is None:
        start_household(member_id=member.pk, shares_points=True, monthly_limit=MONTHLY_LIMIT)
    if belonging_of(partner.pk) is None:
        code = invite(head_id=member.pk, member_id=partner.pk).code
        accept_invite(member_id=partner.pk, code=code, shares_points=True, monthly_limit=MONTHLY_LIMIT)


def _leave_the_card_at_home(now: datetime) -> None:
    draft = PurchaseDraft(
        source=SOURCE,
        number=FORGOTTEN_RECEIPT,
        member_id=0,
        store_id=Store.objects.get(code="harbour").pk,
        purchased_at=_at_noon(now, -2),
        currency="GBP",
        lines=(DraftLine("TEA-2", 1, 850, "tea", "Jasmine tea"), DraftLine("CUP-1", 2, 1900, "home", "Stoneware cup")),
        origin="till",
    )
    keep_unmatched(drafts=[draft])


def _at_noon(start: datetime, days: int) -> datetime:
    zone = Programme.current().tz
    return local_instant(local_day(start, zone) + timedelta(days=days), 12, 0, zone)

"""Codes, links, and the claim that one member brought another."""

from datetime import datetime, timedelta

from django.conf import settings
from django.urls import reverse

from campaigns.messaging.models import Campaign
from campaigns.messaging.standard import standard_campaign
from campaigns.referral.models import Referral, ReferralCode
from campaigns.referral.newness import reason_against_identity
from members.accounts.models import Member
from members.events.log import write_event
from members.lib.codes import fold_code
from members.lib.transactions import retried

# How long a click counts.
WINDOW = timedelta(days=30)


def offer() -> Campaign | None:
    """Return the referral campaign while it is switched on."""
    campaign = standard_campaign("referral")
    return campaign if campaign.is_active else None


@retried
def code_of(member_id: int) -> ReferralCode:
    """Return the member's code, made when it is asked for the first time."""
    ReferralCode.objects.bulk_create([ReferralCode(member_id=member_id)], ignore_conflicts=True)
    return ReferralCode.objects.get(member_id=member_id)


def link_of(code: ReferralCode) -> str:
    """Return the address to pass on."""
    return settings.SITE_URL + reverse("campaigns:referral_landing", args=[code.code])


def find_code(typed: str) -> ReferralCode | None:
    """Return the code somebody typed or followed, of a member who still takes part."""
    codes = ReferralCode.objects.filter(code=fold_code(typed)[:12], member__status=Member.Status.ACTIVE)
    return codes.first()


@retried
def claim_referral(*, friend_id: int, code: str, clicked_at: datetime, at: datetime) -> Referral | None:
    """Record that a member followed a friend's link and then joined; once per friend, the first claim stays.

    None when there is nothing to record: no such code, the offer is off, one's own link, a click too long
    ago, or the member had joined before the click. A claim that looks like one person twice is held for
    staff.
    """
    first = Referral.objects.filter(friend_id=friend_id).first()
    if first is not None:
        return first
    campaign, advocate = offer(), find_code(code)
    friend = Member.objects.get(pk=friend_id)
    if campaign is None or advocate is None or advocate.member_id == friend_id:
        return None
    if not at - WINDOW <= clicked_at <= friend.joined_at:
        return None
    return _insert(campaign, advocate.member_id, friend_id, at)


def _insert(campaign: Campaign, advocate_id: int, friend_id: int, at: datetime) -> Referral:
    reason = reason_against_identity(advocate_id=advocate_id, friend_id=friend_id)
    claim = Referral(
        campaign=campaign,
        advocate_id=advocate_id,
        friend_id=friend_id,
        claimed_at=at,
        state=Referral.State.BLOCKED if reason else Referral.State.PENDING,
        reason=reason or "",
    )
    Referral.objects.bulk_create([claim], ignore_conflicts=True)
    referral = Referral.objects.get(friend_id=friend_id)
    write_event(
        kind="referral.claimed",
        member_id=referral.advocate_id,
        data={"referral": referral.pk},
        occurred_at=at,
    )
    return referral

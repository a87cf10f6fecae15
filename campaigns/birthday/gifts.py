"""Giving the birthday gifts whose day has come.

Once per campaign, member and year, whatever the member allows us to send.
"""

from collections.abc import Callable
from datetime import date, datetime, timedelta

from campaigns.birthday.models import BirthdayGift
from members.accounts.models import Member
from members.ledger import posting
from members.lib import periods
from members.lib.clock import database_now
from members.lib.transactions import retried
from members.programme.models import Programme
from members.tiers.benefits import benefits_of

_CHUNK = 100


def give_due_gifts(*, at: datetime | None = None, progress: Callable[[int], None] | None = None) -> int:
    """Give every gift that is due in campaigns that are switched on; return how many were settled."""
    settled = 0
    while True:
        due = BirthdayGift.objects.due(at or database_now()).filter(campaign__is_active=True)
        ids = list(due.values_list("pk", flat=True)[:_CHUNK])
        for gift_id in ids:
            give(gift_id=gift_id, at=at)
        settled += len(ids)
        if progress:
            progress(settled)
        if not ids:
            return settled


@retried
def give(*, gift_id: int, at: datetime | None = None) -> None:
    """Give one birthday gift in points, once.

    Members who have left and campaigns without points settle with nothing. The member's tier may raise the gift.
    """
    gift = BirthdayGift.objects.select_related("campaign", "member").get(pk=gift_id)
    entry = None
    if gift.campaign.gift_points and gift.member.status == Member.Status.ACTIVE:
        now = at or database_now()
        entry = posting.grant(
            member_id=gift.member_id,
            points=benefits_of(gift.member_id, now).birthday_gift(gift.campaign.gift_points),
            key=f"birthday:{gift.campaign_id}:{gift.member_id}:{gift.year}",
            reason="birthday",
            data={"birthday": gift.year},
            at=at,
            expires_at=_expires_at(gift, now),
        )
    BirthdayGift.objects.filter(pk=gift_id, settled_at=None).update(
        entry_id=entry.pk if entry else None, settled_at=at or database_now()
    )


def _expires_at(gift: BirthdayGift, at: datetime) -> datetime | None:
    """Return the midnight after the last day; None where the programme's usual expiry holds."""
    days = gift.campaign.gift_valid_days
    if days is None:
        return None
    zone = Programme.current().tz
    # A late gift loses none of its days.
    start: date = max(gift.occurs_on, periods.local_day(at, zone))
    return periods.start_of_day(start + timedelta(days=days + 1), zone)

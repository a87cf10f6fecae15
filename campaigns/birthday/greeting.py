"""The words of a birthday: the greeting, and the line in the history."""

from datetime import datetime
from typing import Any

from django.conf import settings
from django.urls import reverse
from django.utils.translation import gettext as _

from campaigns.birthday.models import BirthdayGift
from campaigns.messaging.kinds import Context, NotYet, message
from campaigns.messaging.models import Delivery
from campaigns.messaging.zones import zone_of
from members.accounts.models import Consent
from members.earning.explanation import describes
from members.lib import periods
from members.programme.models import Programme


@message("birthday", purpose=Consent.Purpose.MARKETING)
def about_birthday(delivery: Delivery, at: datetime) -> Context:
    """Return the gift and whether the day has passed; the greeting waits until the gift is given."""
    gift = BirthdayGift.objects.select_related("member", "entry").get(
        campaign_id=delivery.campaign_id, member_id=delivery.member_id, year=delivery.context["year"]
    )
    if gift.settled_at is None:
        raise NotYet
    expires_at = gift.entry.lots.get().expires_at if gift.entry else None
    return {
        "is_late": periods.local_day(at, zone_of(gift.member)) > gift.occurs_on,
        "points": gift.entry.points if gift.entry else 0,
        "last_day": periods.last_usable_day(expires_at, Programme.current().tz) if expires_at else None,
        "rewards_url": settings.SITE_URL + reverse("rewards:catalogue"),
    }


@describes("birthday")
def describe_gift(data: dict[str, Any]) -> str:
    """Return why the points came, for the member's history."""
    return _("A gift for your birthday.")

"""What the till says about a member's birthday gift."""

from datetime import datetime, timedelta

from django.utils.formats import date_format, number_format
from django.utils.translation import gettext as _

from campaigns.birthday.models import BirthdayGift
from members.lib import periods
from members.models import PointsLot
from members.programme.models import Programme
from rewards.till import seeing

# So long before its day a gift is spoken of.
AHEAD = timedelta(days=7)


def birthday_notes(member_id: int, at: datetime) -> list[str]:
    """Return that a birthday gift comes within a week, or how many of its points are left and until when."""
    gift = BirthdayGift.objects.filter(member_id=member_id, campaign__is_active=True).order_by("-due_at").first()
    if gift is None or gift.due_at > at + AHEAD:
        return []
    if gift.settled_at is None:
        day = date_format(gift.occurs_on, "MONTH_DAY_FORMAT")
        return [_("Birthday on %(day)s: a gift is on its way") % {"day": day}]
    return [_left(lot) for lot in PointsLot.objects.filter(entry=gift.entry_id, remaining__gt=0, expires_at__gt=at)]


def _left(lot: PointsLot) -> str:
    assert lot.expires_at is not None
    day = date_format(periods.last_usable_day(lot.expires_at, Programme.current().tz), "DATE_FORMAT")
    points = number_format(lot.remaining, force_grouping=True)
    return _("Birthday gift: %(points)s points, until %(day)s") % {"points": points, "day": day}


seeing.notes.append(birthday_notes)

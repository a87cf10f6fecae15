"""The zone a member lives in."""

from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from members.accounts.models import Member
from members.programme.models import Programme


def zone_of(member: Member) -> ZoneInfo:
    """Return the member's zone; the programme's where none is set or where the name is not known here."""
    if not member.zone:
        return Programme.current().tz
    try:
        return ZoneInfo(member.zone)
    except (ZoneInfoNotFoundError, ValueError):
        return Programme.current().tz

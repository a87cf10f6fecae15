"""Planning birthdays: from the last days to the day after tomorrow, a gift row and a greeting for each.

Planned 48 hours ahead, so that the day begins on time in every zone from UTC-12 to UTC+14. Ranges of members,
each in its own transaction; a run that was killed is simply run again, because the unique keys let every
birthday happen once.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from django.db import transaction
from django.db.models import Q

from campaigns.birthday import calendar
from campaigns.birthday.models import BirthdayGift
from campaigns.messaging.models import Campaign
from campaigns.messaging.planning import Draft, plan_deliveries
from campaigns.messaging.zones import zone_of
from members.accounts.models import Member, Person
from members.lib import periods
from members.programme.models import Programme

AHEAD = timedelta(hours=48)
CHUNK = 500
_ONE_DAY = timedelta(days=1)
# How many of the birthdays that lie too far back are named; all of them are counted.
_NAMED = 200

Progress = Callable[[int], None]


@dataclass(frozen=True)
class Occurrence:
    """One member's birthday in one year."""

    member: Member
    day: date
    zone: ZoneInfo


@dataclass
class Planned:
    """What one planning run did: birthdays planned, and numbers of members whose birthday is too long ago."""

    birthdays: int = 0
    missed: list[str] = field(default_factory=list)

    def as_result(self) -> dict[str, object]:
        """Return the result for the job's row."""
        return {"planned": self.birthdays, "missed": len(self.missed), "missed_members": self.missed[:_NAMED]}


def plan_birthdays(
    *, campaign: Campaign, at: datetime, last_run: datetime | None = None, progress: Progress | None = None
) -> Planned:
    """Plan the gift and the greeting of every birthday near ``at`` that has none yet.

    Birthdays of the last ``catch_up_days`` that no run has seen are made up for. Older ones since
    ``last_run`` are listed, and nothing is given or sent for them. ``progress`` is called after each range of
    members.
    """
    planned = Planned()
    first, last = _days_to_look_at(campaign, at, last_run)
    for persons in _ranges(first, last):
        found = _occurrences(campaign, persons, first, last)
        young = [each for each in found if _days_ago(each, at) <= campaign.catch_up_days]
        planned.missed += [each.member.number for each in found if _days_ago(each, at) > campaign.catch_up_days]
        _plan_range(campaign, young)
        planned.birthdays += len(young)
        if progress:
            progress(planned.birthdays)
    return planned


def _days_to_look_at(campaign: Campaign, at: datetime, last_run: datetime | None) -> tuple[date, date]:
    # One day more on both sides: somewhere it is still yesterday, elsewhere it is tomorrow already.
    first = (at - timedelta(days=campaign.catch_up_days)).date()
    if last_run is not None:
        first = min(first, last_run.date())
    last = (at + AHEAD + timedelta(days=campaign.gift_days_before)).date()
    return first - _ONE_DAY, last + _ONE_DAY


def _ranges(first: date, last: date) -> Iterator[list[Person]]:
    """Yield active members with a birthday between the two days, in ranges of ids."""
    wanted = _born_on(first, last)
    after = 0
    while True:
        persons = Person.objects.filter(wanted, member_id__gt=after, member__status=Member.Status.ACTIVE)
        found = list(persons.select_related("member").order_by("member_id")[:CHUNK])
        if not found:
            return
        yield found
        after = found[-1].member_id


def _born_on(first: date, last: date) -> Q:
    by_month: dict[int, set[int]] = {}
    for day in calendar.days(first, last):
        for month, day_of_month in calendar.birthdays_on(day, leap_on_1_march=_leap_on_1_march()):
            by_month.setdefault(month, set()).add(day_of_month)
    wanted = Q()
    for month, days_of_month in by_month.items():
        wanted |= Q(birth_month=month, birth_day__in=days_of_month)
    return wanted


def _occurrences(campaign: Campaign, persons: Iterable[Person], first: date, last: date) -> list[Occurrence]:
    """Return the birthdays between the two days that count and are not planned yet."""
    found = [each for person in persons for each in _birthdays_of(campaign, person, first, last)]
    members = {each.member.pk for each in found}
    known = set(BirthdayGift.objects.filter(campaign=campaign, member_id__in=members).values_list("member_id", "year"))
    return [each for each in found if (each.member.pk, each.day.year) not in known]


def _birthdays_of(campaign: Campaign, person: Person, first: date, last: date) -> Iterator[Occurrence]:
    assert person.birth_month
    assert person.birth_day
    zone = zone_of(person.member)
    for year in range(first.year, last.year + 1):
        day = calendar.occurrence(person.birth_month, person.birth_day, year, leap_on_1_march=_leap_on_1_march())
        if first <= day <= last and _takes_part(campaign, person, day, zone):
            yield Occurrence(person.member, day, zone)


def _takes_part(campaign: Campaign, person: Person, day: date, zone: ZoneInfo) -> bool:
    entered_at = person.birthday_set_at
    return calendar.counts(
        occurs_on=day,
        entered_on=periods.local_day(entered_at, zone) if entered_at else None,
        lock_days=Programme.current().birthday_lock_days,
    ) and calendar.joined_in_time(
        occurs_on=day,
        joined_on=periods.local_day(person.member.joined_at, zone),
        same_day=campaign.same_day_joiners,
    )


def _days_ago(occurrence: Occurrence, at: datetime) -> int:
    return (periods.local_day(at, occurrence.zone) - occurrence.day).days


@transaction.atomic
def _plan_range(campaign: Campaign, occurrences: Iterable[Occurrence]) -> None:
    days_before = timedelta(days=campaign.gift_days_before)
    gifts = [
        BirthdayGift(
            campaign=campaign,
            member=each.member,
            year=each.day.year,
            occurs_on=each.day,
            due_at=periods.start_of_day(each.day - days_before, each.zone),
        )
        for each in occurrences
    ]
    BirthdayGift.objects.bulk_create(gifts, ignore_conflicts=True)
    plan_deliveries(campaign_id=campaign.pk, drafts=[_greeting(campaign, each) for each in occurrences])


def _greeting(campaign: Campaign, occurrence: Occurrence) -> Draft:
    day, zone = occurrence.day, occurrence.zone
    return Draft(
        member_id=occurrence.member.pk,
        occurrence=str(day.year),
        message="birthday",
        due_at=periods.local_instant(day, campaign.send_hour, 0, zone),
        expires_at=periods.start_of_day(day + timedelta(days=campaign.catch_up_days + 1), zone),
        context={"year": day.year},
    )


def _leap_on_1_march() -> bool:
    return Programme.current().leap_birthday == Programme.LeapBirthday.MAR_1

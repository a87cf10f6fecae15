"""What members say about themselves, and how often they may change their birthday."""

from datetime import UTC, datetime

import pytest
from django.core.exceptions import ValidationError

from members.accounts.enrolment import enrol_member
from members.accounts.models import BirthdayChange, Member, Person, User
from members.accounts.profile import (
    BirthdayFixed,
    HasLogin,
    NotADay,
    ReasonMissing,
    UnknownLanguage,
    change_profile,
    may_change_birthday,
    set_birthday,
)
from members.events.models import Audit

AT = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)

pytestmark = pytest.mark.django_db


@pytest.fixture
def member() -> Member:
    user = User.objects.create_user(email="ann@example.com")
    return enrol_member(source="web", joined_at=AT, user=user, name="Ann")


def by_member(member: Member, month: int, day: int, year: int | None = None) -> None:
    set_birthday(member_id=member.pk, month=month, day=day, year=year, actor_user_id=member.user_id, at=AT)


def birthday(member: Member) -> tuple[int | None, ...]:
    member.person.refresh_from_db()
    return member.person.birth_year, member.person.birth_month, member.person.birth_day


def test_a_member_sets_the_birthday_once_and_changes_it_once(member: Member):
    by_member(member, 5, 17)
    assert may_change_birthday(member.person)
    by_member(member, 5, 18)
    member.person.refresh_from_db()
    assert not may_change_birthday(member.person)

    with pytest.raises(BirthdayFixed):
        by_member(member, 5, 19)

    assert birthday(member) == (None, 5, 18)
    assert member.person.birthday_set_at == AT


def test_a_birthday_set_by_staff_may_be_changed_once_by_the_member(member: Member):
    set_birthday(member_id=member.pk, month=1, day=1, actor_user_id=None, at=AT, reason="on the paper form")
    by_member(member, 1, 2)

    with pytest.raises(BirthdayFixed):
        by_member(member, 1, 3)


def test_setting_the_same_day_again_is_no_change(member: Member):
    by_member(member, 5, 17)
    by_member(member, 5, 17)

    assert BirthdayChange.objects.count() == 1


def test_staff_change_a_birthday_any_time_with_a_reason(member: Member):
    staff = User.objects.create_user(email="staff@example.com", is_staff=True)
    by_member(member, 5, 17)
    by_member(member, 5, 18)

    with pytest.raises(ReasonMissing):
        set_birthday(member_id=member.pk, month=5, day=19, actor_user_id=staff.pk, at=AT, reason=" ")
    set_birthday(member_id=member.pk, month=5, day=19, actor_user_id=staff.pk, at=AT, reason="showed a passport")

    assert birthday(member) == (None, 5, 19)


def test_every_change_keeps_the_old_day_who_and_when(member: Member):
    by_member(member, 5, 17)
    by_member(member, 6, 18)

    changes = list(BirthdayChange.objects.order_by("id").values_list("old_month", "old_day", "actor", "at"))

    assert changes == [(None, None, member.user_id, AT), (5, 17, member.user_id, AT)]


@pytest.mark.parametrize(
    ("year", "month", "day"),
    [
        (None, 2, 30),
        (None, 4, 31),
        (None, 0, 1),
        (None, 13, 1),
        (None, 1, 0),
        (2025, 2, 29),
        (1899, 1, 1),
        (2026, 3, 2),
        (0, 1, 1),
        (10_000, 1, 1),
        (None, 1, 10**20),
    ],
)
def test_a_day_that_no_calendar_has_is_refused(member: Member, year: int | None, month: int, day: int):
    with pytest.raises(NotADay):
        by_member(member, month, day, year)
    assert birthday(member) == (None, None, None)


@pytest.mark.parametrize(("year", "month", "day"), [(None, 2, 29), (2024, 2, 29), (1900, 1, 1), (2026, 3, 1)])
def test_a_day_of_the_calendar_is_kept(member: Member, year: int | None, month: int, day: int):
    by_member(member, month, day, year)

    assert birthday(member) == (year, month, day)


def test_a_profile_changes_only_what_is_given(member: Member):
    change_profile(member_id=member.pk, at=AT, language="zh-hans", zone="Asia/Taipei")
    change_profile(member_id=member.pk, at=AT, name="  Ann Ash ")

    member.refresh_from_db()
    assert (member.language, member.zone, member.person.name) == ("zh-hans", "Asia/Taipei", "Ann Ash")


def test_an_unknown_language_or_zone_is_refused(member: Member):
    with pytest.raises(UnknownLanguage):
        change_profile(member_id=member.pk, at=AT, language="tlh")
    with pytest.raises(ValidationError):
        change_profile(member_id=member.pk, at=AT, zone="Mars/Olympus")


def test_staff_write_down_how_a_member_without_login_is_reached():
    clerk = User.objects.create_user(email="clerk@example.com")
    imported = enrol_member(source="file", joined_at=AT)
    change_profile(member_id=imported.pk, at=AT, email="bo@example.com", phone="+886912345678", actor_id=clerk.pk)
    person = Person.objects.get(member=imported)
    assert (person.email, person.phone) == ("bo@example.com", "+886912345678")
    row = Audit.objects.get(action="member.contact_set")
    assert (row.actor, row.reason) == (clerk, "email, phone")


def test_the_same_contact_again_leaves_no_second_audit_row():
    imported = enrol_member(source="file", joined_at=AT)
    for _again in range(2):
        change_profile(member_id=imported.pk, at=AT, email="bo@example.com")
    assert Audit.objects.filter(action="member.contact_set").count() == 1


def test_the_contact_of_a_member_with_a_login_follows_the_login(member: Member):
    with pytest.raises(HasLogin):
        change_profile(member_id=member.pk, at=AT, email="other@example.com")
    assert Person.objects.get(member=member).email != "other@example.com"

"""Enrolling one member or thousands."""

import threading
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection

from members.accounts import enrolment
from members.accounts.enrolment import enrol_member, enrol_members_in_bulk
from members.accounts.models import Identity, Member, Person
from members.events.models import Event
from members.ledger.models import PointsAccount
from members.lib import codes

AT = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


@pytest.mark.django_db
def test_a_new_member_has_a_person_a_points_account_and_an_event():
    member = enrol_member(source="till", joined_at=AT, name="Ann Ash", email="Ann@Example.com", phone="+447400123456")

    assert codes.is_member_number(member.number)
    assert member.public_id.startswith("mem_")
    assert (member.person.name, member.person.email) == ("Ann Ash", "ann@example.com")
    assert PointsAccount.objects.get(point_type="SPENDABLE", member=member).balance == 0
    event = Event.objects.get(kind="member.joined")
    assert (event.member, event.occurred_at, event.data, event.backfilled) == (
        member,
        AT,
        {"member": member.pk},
        False,
    )


@pytest.mark.django_db
def test_an_outside_identity_enrols_once():
    first = enrol_member(source="pos-1", identity="7", joined_at=AT)

    assert enrol_member(source="pos-1", identity="7", joined_at=AT) == first
    assert enrol_member(source="pos-2", identity="7", joined_at=AT) != first


@pytest.mark.django_db
def test_a_number_that_somebody_has_is_drawn_again(monkeypatch: pytest.MonkeyPatch):
    taken = enrol_member(source="till", joined_at=AT).number
    draws = iter([taken, "1000000009"])
    monkeypatch.setattr(codes, "random_member_number", lambda: next(draws))

    assert enrol_member(source="till", joined_at=AT).number == "1000000009"


@pytest.mark.django_db
def test_a_file_enrols_each_value_once_however_often_it_is_read(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(enrolment, "_BULK_SIZE", 7)
    joined = {str(n): AT + timedelta(days=n) for n in range(20)}
    known = enrol_member(source="shop", identity="3", joined_at=AT)

    first = enrol_members_in_bulk(source="shop", joined=joined)
    second = enrol_members_in_bulk(source="shop", joined=joined)

    assert first == second
    assert first["3"] == known.pk
    assert set(first) == set(joined)
    assert (
        Member.objects.count()
        == Person.objects.count()
        == PointsAccount.objects.filter(point_type="SPENDABLE").count()
        == 20
    )
    assert Member.objects.get(pk=first["11"]).joined_at == AT + timedelta(days=11)
    assert Event.objects.filter(kind="member.joined", backfilled=True).count() == 19


@pytest.mark.django_db
def test_the_set_and_the_single_path_make_the_same_rows():
    one = enrol_member(source="shop", identity="1", joined_at=AT)
    two = Member.objects.get(pk=enrol_members_in_bulk(source="shop", joined={"2": AT}, backfilled=False)["2"])

    def rows(member: Member) -> list[object]:
        skipped = {"id", "member", "public_id", "number", "position", "recorded_at", "data"}
        parts = [
            member,
            member.person,
            PointsAccount.objects.get(point_type="SPENDABLE", member=member),
            member.events.get(),
        ]
        return [
            {f.name: f.value_from_object(part) for f in part._meta.fields if f.name not in skipped} for part in parts
        ]

    assert rows(one) == rows(two)


@pytest.mark.django_db
def test_nothing_to_enrol_is_no_work(django_assert_num_queries):
    with django_assert_num_queries(0):
        assert enrol_members_in_bulk(source="shop", joined={}) == {}


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_eight_readers_of_one_file_enrol_each_value_once():
    joined = {str(n): AT for n in range(200)}
    barrier, results = threading.Barrier(8), []

    def read() -> None:
        barrier.wait()
        results.append(enrol_members_in_bulk(source="shop", joined=joined))
        connection.close()

    threads = [threading.Thread(target=read) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(results) == 8
    assert all(result == results[0] for result in results)
    assert (
        Member.objects.count()
        == Identity.objects.count()
        == PointsAccount.objects.filter(point_type="SPENDABLE").count()
        == 200
    )

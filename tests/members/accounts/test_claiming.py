"""Who becomes which member when an address or a number is confirmed."""

import threading
from datetime import UTC, datetime

import pytest
from allauth.account.models import EmailAddress
from django.db import connection

from members.accounts.claiming import MembershipClosed, NothingConfirmed, forget_email, join_programme
from members.accounts.enrolment import enrol_member
from members.accounts.models import Member, User
from members.events.models import Audit, Event

AT = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
PHONE = "+886912345678"


def login(email: str = "", phone: str = "", *, confirmed: bool = True) -> User:
    user = User.objects.create_user(email=email, phone=phone, phone_verified=bool(phone) and confirmed)
    if email:
        EmailAddress.objects.create(user=user, email=email.lower(), verified=confirmed, primary=True)
    return user


def join(user: User) -> Member:
    return join_programme(user_id=user.pk, at=AT)


def till_member(*, name: str = "", email: str = "", phone: str = "") -> Member:
    return enrol_member(source="till", joined_at=AT, name=name, email=email, phone=phone)


pytestmark = pytest.mark.django_db


def test_a_confirmed_address_makes_a_new_member():
    user = login("ann@example.com")

    member = join(user)

    assert (member.user, member.source, member.person.email) == (user, "web", "ann@example.com")
    assert Event.objects.filter(kind="member.joined", member=member).count() == 1


def test_joining_again_returns_the_same_member():
    user = login("ann@example.com")

    assert join(user) == join(user)
    assert Member.objects.count() == Event.objects.count() == 1


@pytest.mark.parametrize("contact", [{"email": "ann@example.com"}, {"phone": PHONE}])
def test_an_unconfirmed_contact_joins_and_claims_nothing(contact: dict[str, str]):
    till_member(**contact)
    user = login(contact.get("email", ""), contact.get("phone", ""), confirmed=False)

    with pytest.raises(NothingConfirmed):
        join(user)

    assert not Member.objects.filter(user=user).exists()


@pytest.mark.parametrize(
    ("enrolled", "typed"),
    [
        ({"email": "Ann@Example.com"}, {"email": "ann@example.com"}),
        ({"email": "ann@example.com"}, {"email": "ANN@example.COM"}),
        ({"phone": PHONE}, {"phone": PHONE}),
        ({"phone": PHONE, "email": "ann@example.com"}, {"phone": PHONE}),
    ],
)
def test_a_confirmed_contact_claims_the_member_made_at_the_till(enrolled: dict[str, str], typed: dict[str, str]):
    before = till_member(**enrolled, name="Ann Ash")
    user = login(typed.get("email", ""), typed.get("phone", ""))

    member = join(user)

    assert (member, member.user, member.person.name) == (before, user, "Ann Ash")
    assert Event.objects.filter(kind="member.claimed", member=member).count() == 1
    audit = Audit.objects.get(action="member.claimed")
    assert (audit.actor, audit.target) == (user, f"member:{member.number}")


def test_several_matches_claim_nothing_and_staff_see_why():
    candidates = {till_member(email="ann@example.com").pk, till_member(phone=PHONE).pk}

    member = join(login("ann@example.com", PHONE))

    assert member.pk not in candidates
    assert Member.objects.unclaimed().count() == 2
    audit = Audit.objects.get(action="member.claim_ambiguous")
    assert (set(audit.data["members"]), audit.target) == (candidates, f"member:{member.number}")


def test_an_address_of_a_claimed_member_opens_nothing():
    """The first owner's person still shows the address, but the membership is hers."""
    first = join(login("ann@example.com"))
    EmailAddress.objects.all().delete()
    User.objects.update(email="")

    second = join(login("ann@example.com"))

    assert second != first
    assert first.user != second.user


def test_a_recycled_number_opens_no_old_account():
    first = join(login(phone=PHONE))
    User.objects.update(phone="", phone_verified=False)

    second = join(login(phone=PHONE))

    assert second != first


def test_a_closed_membership_is_neither_claimed_nor_reopened():
    closed = till_member(email="ann@example.com")
    Member.objects.filter(pk=closed.pk).update(status=Member.Status.CLOSED)
    user = login("ann@example.com")
    member = join(user)
    assert member != closed

    Member.objects.filter(pk=member.pk).update(status=Member.Status.CLOSED)
    with pytest.raises(MembershipClosed):
        join(user)


def test_the_person_follows_the_confirmed_primary_address_and_number():
    user = login("old@example.com")
    member = join(user)
    EmailAddress.objects.update(email="new@example.com")
    User.objects.filter(pk=user.pk).update(phone=PHONE, phone_verified=True)

    join(user)

    member.person.refresh_from_db()
    assert (member.person.email, member.person.phone) == ("new@example.com", PHONE)


def test_an_address_known_from_the_till_stays_when_the_number_claims():
    till_member(phone=PHONE, email="ann@example.com")

    assert join(login(phone=PHONE)).person.email == "ann@example.com"


def test_a_removed_address_leaves_the_person():
    user = login("ann@example.com", PHONE)
    member = join(user)
    EmailAddress.objects.all().delete()

    forget_email(user_id=user.pk, email="Ann@example.com")

    member.person.refresh_from_db()
    assert member.person.email == ""


def test_the_language_of_the_page_becomes_the_member_s():
    assert join_programme(user_id=login("ann@example.com").pk, at=AT, language="zh-hant").language == "zh-hant"


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_two_logins_that_match_one_member_by_address_and_number_share_nothing():
    before = till_member(email="ann@example.com", phone=PHONE)
    users = [login("ann@example.com"), login(phone=PHONE)]
    barrier, members = threading.Barrier(2), []

    def claim(user: User) -> None:
        barrier.wait()
        members.append(join(user))
        connection.close()

    run([threading.Thread(target=claim, args=(user,)) for user in users])

    assert len({member.pk for member in members}) == 2
    assert before.pk in {member.pk for member in members}
    assert Event.objects.filter(kind="member.claimed").count() == 1


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_one_login_confirmed_in_eight_tabs_claims_once():
    before = till_member(email="ann@example.com")
    user = login("ann@example.com")
    barrier, members = threading.Barrier(8), []

    def claim() -> None:
        barrier.wait()
        members.append(join(user).pk)
        connection.close()

    run([threading.Thread(target=claim) for _ in range(8)])

    assert members == [before.pk] * 8
    assert Member.objects.count() == 1
    assert Event.objects.filter(kind="member.claimed").count() == 1
    assert Audit.objects.filter(action="member.claimed").count() == 1


def run(threads: list[threading.Thread]) -> None:
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

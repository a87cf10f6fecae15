"""The newest statement of will counts; the past is never rewritten."""

import threading
from datetime import UTC, datetime

import pytest
from django.db import DatabaseError, connection, transaction

from members.accounts.consent import contactable, current_consents, lock_consent, may_contact, record_consent
from members.accounts.enrolment import enrol_member
from members.accounts.models import Consent, Member
from members.events.models import Event

AT = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)

YES, NO = True, False

pytestmark = pytest.mark.django_db


@pytest.fixture
def member() -> Member:
    return enrol_member(source="till", joined_at=AT, language="zh-hant")


def say(member: Member, granted: bool, purpose: str = "marketing", channel: str = "email") -> Consent:
    return record_consent(
        member_id=member.pk, channel=channel, purpose=purpose, granted=granted, source="portal", at=AT
    )


@pytest.mark.parametrize(("purpose", "allowed"), [("marketing", False), ("service", True), ("survey", True)])
@pytest.mark.parametrize("channel", ["email", "sms"])
def test_without_a_word_only_marketing_is_forbidden(member: Member, channel: str, purpose: str, allowed: bool):
    assert may_contact(member_id=member.pk, channel=channel, purpose=purpose) is allowed
    assert current_consents(member.pk)[channel, purpose] is allowed


@pytest.mark.parametrize("purpose", ["marketing", "service", "survey"])
def test_the_newest_statement_counts_for_its_channel_and_purpose_alone(member: Member, purpose: str):
    for granted in (True, False, True, False):
        say(member, granted, purpose)
        assert may_contact(member_id=member.pk, channel="email", purpose=purpose) is granted
        assert current_consents(member.pk)["email", purpose] is granted

    assert may_contact(member_id=member.pk, channel="sms", purpose="service")


def test_a_statement_keeps_time_source_words_and_language(member: Member):
    statement = say(member, YES)

    assert (statement.at, statement.source, statement.language) == (AT, "portal", "zh-hant")
    assert statement.text_version
    event = Event.objects.get(kind="consent.changed")
    assert event.data == {"consent": statement.pk, "granted": 1}


def test_saying_the_same_twice_adds_nothing(member: Member):
    assert say(member, NO) == say(member, NO)
    assert Consent.objects.count() == 1


@pytest.mark.parametrize("change", [{"channel": "fax"}, {"purpose": "spam"}])
def test_an_unknown_channel_or_purpose_is_refused(member: Member, change: dict[str, str]):
    with pytest.raises(ValueError, match="is not a valid"):
        say(member, YES, **change)
    with pytest.raises(ValueError, match="is not a valid"):
        may_contact(member_id=member.pk, **({"channel": "email", "purpose": "marketing"} | change))


def test_a_statement_cannot_be_rewritten(member: Member):
    statement = say(member, YES)

    with pytest.raises(DatabaseError), transaction.atomic():
        Consent.objects.filter(pk=statement.pk).update(granted=False)
    with pytest.raises(DatabaseError), transaction.atomic():
        statement.delete()


def test_the_set_and_the_single_answer_agree(member: Member):
    others = [enrol_member(source="till", joined_at=AT) for _ in range(4)]
    say(member, YES)
    say(others[0], YES)
    say(others[1], NO)
    say(others[2], YES)
    Member.objects.filter(pk=others[2].pk).update(status=Member.Status.CLOSED)
    everyone = [member.pk, *(other.pk for other in others)]

    together = contactable(member_ids=everyone, channel="email", purpose="marketing")

    assert together == {member.pk, others[0].pk}
    assert together == {pk for pk in everyone if may_contact(member_id=pk, channel="email", purpose="marketing")}


def test_a_closed_membership_still_gets_service_messages(member: Member):
    Member.objects.filter(pk=member.pk).update(status=Member.Status.CLOSED)

    assert may_contact(member_id=member.pk, channel="email", purpose="service")
    assert not may_contact(member_id=member.pk, channel="email", purpose="survey")


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_a_refusal_waits_for_the_hand_over_that_began_before_it():
    """P10: once the refusal is acknowledged, nothing checked before it is still on its way."""
    member = enrol_member(source="till", joined_at=AT)
    say(member, YES)
    order: list[str] = []
    checked, refusing = threading.Event(), threading.Event()

    def refuse() -> None:
        checked.wait(5)
        refusing.set()
        say(member, NO)
        order.append("refused")
        connection.close()

    thread = threading.Thread(target=refuse)
    thread.start()
    with transaction.atomic():
        lock_consent(member.pk)
        assert may_contact(member_id=member.pk, channel="email", purpose="marketing")
        checked.set()
        refusing.wait(5)
        thread.join(0.5)
        order.append("handed over")
    thread.join()

    assert order == ["handed over", "refused"]
    assert not may_contact(member_id=member.pk, channel="email", purpose="marketing")

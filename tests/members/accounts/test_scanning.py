"""Whose card was scanned, and whether it was there: the live code counts once, in its minute and the next."""

from datetime import UTC, datetime, timedelta
from functools import partial

import pytest
from django.db import transaction

from members.accounts import live_codes
from members.accounts.access import LostCard, MemberNotFound
from members.accounts.cards import replace_card
from members.accounts.models import CardUse, Identity, Member
from members.accounts.scanning import (
    WRONG_CODES,
    WRONG_CODES_WITHIN,
    CodeRefused,
    CodeUsed,
    ScannedMember,
    TooManyWrongCodes,
    resolve_card,
)
from tests.factories import make_member
from tests.harness.races import only, run_together

pytestmark = pytest.mark.django_db

# The first second of a minute.
AT = datetime(2026, 6, 15, 12, 0, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
SECOND = timedelta(seconds=1)


@pytest.fixture
def member():
    return make_member()


def shown(member, at=AT):
    """Return what the QR code of the card says."""
    return member.number + live_codes.live_code(member, at=at).digits


def wrong(member, place=1, at=AT):
    """Return a code that is none of the member's at this time."""
    good = {live_codes.live_code(member, at=at - back * MINUTE).digits for back in (0, 1)}
    code = str((int(shown(member, at)[10:]) + place) % 10**8).zfill(8)
    assert code not in good
    return member.number + code


def test_the_number_alone_says_who_it_is_and_not_that_the_card_is_there(member):
    assert resolve_card(typed=member.number, at=AT) == ScannedMember(member, is_live=False)
    assert not CardUse.objects.exists()


def test_number_and_code_say_that_the_card_is_there(member):
    assert resolve_card(typed=shown(member), at=AT) == ScannedMember(member, is_live=True)


@pytest.mark.parametrize(
    "write",
    [
        lambda text: f" {text[:3]} {text[3:6]} {text[6:10]}  {text[10:14]} {text[14:]}\r\n",
        lambda text: f"{text[:10]}-{text[10:]}",
        lambda text: "".join(chr(ord(digit) + 0xFEE0) for digit in text),
    ],
    ids=["spaces", "dash", "full width"],
)
def test_it_may_be_typed_as_people_write_it(member, write):
    assert resolve_card(typed=write(shown(member)), at=AT).is_live


@pytest.mark.parametrize("place", range(10, 18))
def test_every_wrong_digit_of_the_code_is_refused(member, place):
    text = shown(member)
    flipped = text[:place] + str((int(text[place]) + 1) % 10) + text[place + 1 :]
    with pytest.raises(CodeRefused):
        resolve_card(typed=flipped, at=AT)


@pytest.mark.parametrize("place", range(10))
def test_every_wrong_digit_of_the_number_is_found_by_its_check_digit(member, place):
    text = shown(member)
    flipped = text[:place] + str((int(text[place]) + 1) % 10) + text[place + 1 :]
    with pytest.raises(MemberNotFound):
        resolve_card(typed=flipped, at=AT)


def test_a_code_counts_once(member):
    resolve_card(typed=shown(member), at=AT)
    for later in (AT, AT + MINUTE):
        with pytest.raises(CodeUsed):
            resolve_card(typed=shown(member), at=later)
    assert resolve_card(typed=shown(member, AT + MINUTE), at=AT + MINUTE).is_live


def test_after_a_code_none_from_before_it_counts(member):
    resolve_card(typed=shown(member), at=AT)
    with pytest.raises(CodeUsed):
        resolve_card(typed=shown(member, AT - MINUTE), at=AT)


def test_a_code_counts_in_its_minute_and_the_next_and_then_is_too_old(member):
    text = shown(member, AT + 59 * SECOND)
    assert text == shown(member)
    last = AT + 2 * MINUTE - SECOND
    with pytest.raises(CodeRefused):
        resolve_card(typed=text, at=last + SECOND)
    assert resolve_card(typed=text, at=last).is_live


def test_a_code_of_the_future_does_not_count(member):
    with pytest.raises(CodeRefused):
        resolve_card(typed=shown(member, AT + MINUTE), at=AT + MINUTE - SECOND)


def test_the_code_of_another_member_does_not_count(member):
    other = make_member()
    with pytest.raises(CodeRefused):
        resolve_card(typed=member.number + shown(other)[10:], at=AT)


def test_another_secret_makes_other_codes(member, settings):
    before = shown(member)
    settings.SECRET_KEY = "another-secret-of-at-least-fifty-characters-0123456789"
    assert shown(member) != before


def test_a_lost_card_is_refused_with_and_without_its_code_and_the_new_card_has_new_codes(member):
    old = shown(member)
    renewed = replace_card(member_id=member.pk, lost_number=member.number, actor_id=None, reason="Bag stolen", at=AT)
    for typed in (member.number, old):
        with pytest.raises(LostCard):
            resolve_card(typed=typed, at=AT)
    with pytest.raises(CodeRefused):
        resolve_card(typed=renewed.number + old[10:], at=AT)
    assert resolve_card(typed=shown(renewed), at=AT).is_live


def test_a_closed_membership_is_not_found(member):
    Member.objects.filter(pk=member.pk).update(status=Member.Status.CLOSED)
    with pytest.raises(MemberNotFound):
        resolve_card(typed=shown(member), at=AT)


def test_the_number_of_a_merged_member_leads_to_the_one_that_stays(member):
    survivor = make_member()
    Member.objects.filter(pk=member.pk).update(status=Member.Status.MERGED, merged_into=survivor)
    assert resolve_card(typed=member.number, at=AT).member == survivor


def test_other_names_of_a_member_are_known_but_never_live(member):
    Identity.objects.create(member=member, source="pos-1", value="C-7")
    for typed in (member.public_id, "identity:pos-1:C-7"):
        assert resolve_card(typed=typed, at=AT) == ScannedMember(member, is_live=False)


@pytest.mark.parametrize("typed", ["", "12345678", "\x00", "1234567897" * 2, "1" * 17, "Ann Ash", "²" * 18, "١" * 18])
def test_anything_else_names_nobody(member, typed):
    with pytest.raises(MemberNotFound):
        resolve_card(typed=typed, at=AT)


def test_after_some_wrong_codes_none_is_looked_at_for_a_while_but_the_number_still_collects(member):
    for place in range(1, WRONG_CODES + 1):
        with pytest.raises(CodeRefused):
            resolve_card(typed=wrong(member, place), at=AT)
    later = AT + WRONG_CODES_WITHIN - SECOND
    for typed in (shown(member, later), wrong(member, at=later)):
        with pytest.raises(TooManyWrongCodes):
            resolve_card(typed=typed, at=later)
    assert resolve_card(typed=member.number, at=later).member == member
    over = AT + WRONG_CODES_WITHIN
    assert resolve_card(typed=shown(member, over), at=over).is_live


def test_a_good_code_does_not_forget_the_wrong_ones(member):
    for place in range(1, WRONG_CODES):
        with pytest.raises(CodeRefused):
            resolve_card(typed=wrong(member, place), at=AT)
    assert resolve_card(typed=shown(member), at=AT).is_live
    with pytest.raises(CodeRefused):
        resolve_card(typed=wrong(member, 9), at=AT)
    with pytest.raises(TooManyWrongCodes):
        resolve_card(typed=shown(member, AT + MINUTE), at=AT + MINUTE)


def test_wrong_codes_for_one_card_do_not_touch_another(member):
    for place in range(1, WRONG_CODES + 1):
        with pytest.raises(CodeRefused):
            resolve_card(typed=wrong(member, place), at=AT)
    assert resolve_card(typed=shown(other := make_member()), at=AT).member == other


@pytest.mark.django_db(transaction=True)
def test_inside_a_transaction_it_refuses_to_work_because_its_end_could_undo_the_use(member):
    with transaction.atomic(), pytest.raises(RuntimeError):
        resolve_card(typed=shown(member), at=AT)
    assert not CardUse.objects.exists()


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_ten_tills_at_once_take_a_code_once(member):
    outcomes = run_together([partial(resolve_card, typed=shown(member), at=AT)] * 10)
    assert (len(only(ScannedMember, outcomes)), len(only(CodeUsed, outcomes))) == (1, 9)


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_wrong_codes_at_once_are_all_counted(member):
    outcomes = run_together([partial(resolve_card, typed=wrong(member, place), at=AT) for place in range(1, 11)])
    assert (len(only(CodeRefused, outcomes)), len(only(TooManyWrongCodes, outcomes))) == (WRONG_CODES, 5)


def test_the_seconds_left_count_down_to_the_next_code(member):
    assert live_codes.live_code(member, at=AT).seconds_left == 60
    assert live_codes.live_code(member, at=AT + 59 * SECOND).seconds_left == 1
    assert live_codes.live_code(member, at=AT + MINUTE).digits != live_codes.live_code(member, at=AT).digits

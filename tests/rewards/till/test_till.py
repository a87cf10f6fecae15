"""What a clerk does: look up, use, take back, note money, enrol; each once per key, and only after a scan."""

from datetime import timedelta
from functools import partial

import pytest

from campaigns.birthday.models import BirthdayGift
from campaigns.messaging.models import Campaign
from members.accounts.cards import replace_card
from members.accounts.consent import may_contact
from members.accounts.models import Consent, Member, Person
from members.accounts.scanning import CodeRefused
from members.events.models import Audit
from members.ledger import posting
from members.lib.clock import database_now
from rewards.redemption.moves import NotPossible
from rewards.redemption.redeeming import redeem
from rewards.redemption.refusals import Refusal
from rewards.till import seeing
from rewards.till.acting import NotScanned, act
from rewards.till.enrolling import TEXT_VERSION, PhoneKnown, enrol
from rewards.till.models import TillAct
from rewards.till.scanning import KeyAlreadyUsed, LostCard, NothingFound, OwnAccount
from rewards.till.seeing import see_member, voucher
from tests.harness.races import run_together
from tests.rewards.factories import make_login, make_member, make_reward
from tests.rewards.till.making import card_of, make_clerk, make_store, make_voucher, scanned

pytestmark = pytest.mark.django_db

PHONE = "+447400123456"


def do(kind, coupon, clerk, *, key="a" * 16, scan_key="s" * 16, store="harbour", at=None):
    """Let a clerk act."""
    return act(
        kind=kind, redemption_id=coupon.pk, scan_key=scan_key, key=key, actor_id=clerk.pk,
        store_id=make_store(store).pk, at=at,
    )  # fmt: skip


def sign_up(clerk, *, key="e" * 16, phone=PHONE, may_send_offers=False):
    """Let a clerk enrol."""
    return enrol(
        phone=phone, name="Mei Lin", language="zh-hant", may_send_offers=may_send_offers, key=key, actor_id=clerk.pk,
        store_id=make_store().pk,
    )  # fmt: skip


def test_a_scan_tells_cards_of_the_minute_from_numbers_and_vouchers():
    clerk, member, coupon = make_clerk(), make_member(), make_voucher()
    live = scanned(clerk, card_of(member), key="1" * 16)
    plain = scanned(clerk, member.number, key="2" * 16)
    code = scanned(clerk, coupon.code.lower(), key="3" * 16)
    assert [(s.member_id, s.redemption_id, s.is_proof) for s in (live, plain, code)] == [
        (member.pk, None, True), (member.pk, None, False), (None, coupon.pk, True),
    ]  # fmt: skip
    with pytest.raises(NothingFound):
        scanned(clerk, "nonsense\x00", key="4" * 16)


def test_a_repeated_scan_is_answered_though_its_live_code_is_used_up():
    clerk, member = make_clerk(), make_member()
    typed = card_of(member)
    first = scanned(clerk, typed)
    assert scanned(clerk, typed) == first
    with pytest.raises(CodeRefused):
        scanned(clerk, typed, key="other" * 4)


def test_a_lost_card_and_an_own_card_are_refused():
    clerk, member = make_clerk(), make_member()
    lost = member.number
    replace_card(member_id=member.pk, lost_number=lost, actor_id=None, reason="lost")
    with pytest.raises(LostCard):
        scanned(clerk, lost)
    with pytest.raises(OwnAccount):
        scanned(clerk, make_member(user=clerk).number)


def test_used_and_taken_back_with_store_and_clerk_and_a_late_repeat_does_nothing():
    clerk, coupon = make_clerk(), make_voucher()
    scanned(clerk, coupon.code)
    used = do("USE", coupon, clerk, key="use-" * 4)
    assert (used.state, used.store.code) == ("FULFILLED", "harbour")
    assert do("UNDO", coupon, clerk, key="undo" * 4).state == "CAPTURED"
    # The answer to the first click was slow; it must not use the coupon once more.
    assert do("USE", coupon, clerk, key="use-" * 4).state == "CAPTURED"
    acts = TillAct.objects.order_by("pk").values_list("kind", "actor", "store__code")
    assert list(acts) == [(kind, clerk.pk, "harbour") for kind in ("SCAN", "USE", "UNDO")]
    assert Audit.objects.filter(actor=clerk, target=coupon.public_id).count() == 2


def test_a_key_does_not_serve_two_things():
    clerk, first = make_clerk(), make_voucher()
    second = make_voucher(first.member)
    scanned(clerk, card_of(first.member))
    do("USE", first, clerk)
    for kind, coupon in (("USE", second), ("UNDO", first)):
        with pytest.raises(KeyAlreadyUsed):
            do(kind, coupon, clerk)


def test_a_refused_act_leaves_its_key_free_and_nothing_done():
    clerk, coupon = make_clerk(), make_voucher()
    coupon.reward.stores.add(make_store("garden"))
    scanned(clerk, coupon.code)
    with pytest.raises(NotPossible) as refused:
        do("USE", coupon, clerk)
    assert refused.value.refused.why == Refusal.WRONG_STORE
    assert do("USE", coupon, clerk, store="garden").state == "FULFILLED"


def test_without_a_scan_that_proves_it_nothing_is_spent():
    clerk, coupon, other = make_clerk(), make_voucher(), make_voucher()
    with pytest.raises(NotScanned):
        do("USE", coupon, clerk)
    scanned(clerk, coupon.member.number, key="number" * 3)
    scanned(clerk, card_of(coupon.member), key="card" * 4)
    for key, voucher_, when in (
        ("number" * 3, coupon, None),
        ("card" * 4, other, None),
        ("card" * 4, coupon, database_now() + timedelta(minutes=11)),
    ):
        with pytest.raises(NotScanned):
            do("USE", voucher_, clerk, scan_key=key, at=when)
    with pytest.raises(NotScanned):
        do("USE", coupon, make_clerk(), scan_key="card" * 4)
    assert do("USE", coupon, clerk, scan_key="card" * 4).state == "FULFILLED"


def test_nobody_hands_over_to_themselves():
    clerk = make_clerk()
    coupon = make_voucher(make_member(user=clerk))
    seen = scanned(clerk, coupon.code)
    assert voucher(coupon, seen, at=database_now()).why_not == "Nobody handles a reward of their own."
    with pytest.raises(NotPossible):
        do("USE", coupon, clerk)


def test_the_money_part_is_told_and_noted_once():
    clerk, member = make_clerk(), make_member()
    posting.grant(member_id=member.pk, points=100, key="now", reason="x", at=database_now())
    reward = make_reward(stock=None, money_price=500)
    held = redeem(member_id=member.pk, reward_id=reward.pk, key="k")
    scan = scanned(clerk, card_of(member))
    (seen,) = see_member(scan, may_see_name=False, at=database_now()).vouchers
    assert (seen.money_due, seen.is_good, seen.why_not) == (
        "5.00 GBP", False, "The money for this reward is not paid yet.",
    )  # fmt: skip
    paid = do("PAY", held, clerk)
    assert (paid.state, do("PAY", held, clerk).code) == ("CAPTURED", paid.code)


def test_the_page_of_a_member_shows_what_the_clerk_may_see():
    clerk, member = make_clerk(), make_member()
    Person.objects.filter(member=member).update(name="Mei Lin")
    good = make_voucher(member, name_en="Cake", stacking="ALONE", minimum_purchase=1000, valid_days=9)
    elsewhere = make_voucher(member, name_en="Tea")
    elsewhere.reward.stores.add(make_store("garden"))
    scan, now = scanned(clerk, card_of(member)), database_now()
    seen = see_member(scan, may_see_name=False, at=now)
    assert (seen.name, see_member(scan, may_see_name=True, at=now).name) == ("M. L.", "Mei Lin")
    assert {item.name: item.is_good for item in seen.vouchers} == {"Cake": True, "Tea": False}
    assert [item.redemption for item in seen.vouchers] == [good, elsewhere]
    assert seen.vouchers[0].conditions == [
        "For a purchase of 10.00 GBP or more", "Only one such coupon a purchase",
    ]  # fmt: skip
    assert seen.vouchers[1].why_not == "This cannot be used at this store."


def test_a_member_takes_the_same_number_of_queries_however_many_coupons(django_assert_max_num_queries):
    clerk, member = make_clerk(), make_member()
    for _number in range(8):
        make_voucher(member)
    scan = scanned(clerk, member.number)
    see_member(scan, may_see_name=False, at=database_now())
    with django_assert_max_num_queries(40):
        see_member(scan, may_see_name=False, at=database_now())


def test_a_birthday_gift_is_told_before_and_after_it_is_given():
    member, now = make_member(), database_now()
    campaign = Campaign.objects.create(kind="BIRTHDAY", code="till-birthday", gift_points=50, is_active=True)
    gift = BirthdayGift.objects.create(
        campaign=campaign, member=member, year=now.year, occurs_on=now.date(), due_at=now + timedelta(days=2)
    )
    (note,) = [text for tell in seeing.notes for text in tell(member.pk, now)]
    assert "a gift is on its way" in note
    entry = posting.grant(
        member_id=member.pk, points=50, key="b", reason="birthday", at=now, expires_at=now + timedelta(days=30)
    )
    BirthdayGift.objects.filter(pk=gift.pk).update(settled_at=now, entry_id=entry.pk)
    (note,) = [text for tell in seeing.notes for text in tell(member.pk, now)]
    assert note.startswith("Birthday gift: 50 points, until ")


def test_enrolling_makes_one_member_of_this_store_with_the_consent_that_was_given():
    clerk = make_clerk()
    member = sign_up(clerk, may_send_offers=True)
    assert sign_up(clerk, may_send_offers=True) == member
    assert (member.home_store.code, member.language, member.person.phone) == ("harbour", "zh-hant", PHONE)
    said = Consent.objects.get(member=member)
    assert (said.channel, said.granted, said.text_version, said.actor) == ("sms", True, TEXT_VERSION, clerk)
    assert Audit.objects.get(action="member.enrolled").actor == clerk


def test_without_a_yes_no_consent_is_written_and_none_holds():
    member = sign_up(make_clerk())
    assert not Consent.objects.filter(member=member).exists()
    assert not may_contact(member_id=member.pk, channel="sms", purpose="marketing")


def test_a_known_number_and_the_clerks_own_enrol_nobody():
    clerk = make_clerk()
    member = sign_up(clerk)
    with pytest.raises(PhoneKnown) as known:
        sign_up(clerk, key="again" * 4)
    assert known.value.member_id == member.pk
    own = make_login(is_staff=True, phone="+447400123457")
    with pytest.raises(OwnAccount):
        sign_up(own, phone="+447400123457")
    assert Member.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_eight_clicks_at_once_use_a_voucher_once():
    clerk, coupon = make_clerk(), make_voucher()
    scanned(clerk, coupon.code)
    results = run_together([partial(do, "USE", coupon, clerk)] * 8)
    assert {result.state for result in results} == {"FULFILLED"}
    assert (
        TillAct.objects.filter(kind="USE").count() == Audit.objects.filter(action="redemption.fulfilled").count() == 1
    )


@pytest.mark.django_db(transaction=True)
def test_two_clerks_with_one_number_enrol_one_member():
    results = run_together([partial(sign_up, make_clerk()) for _ in range(5)])
    assert len([result for result in results if isinstance(result, Member)]) == Member.objects.count() == 1
    assert len([result for result in results if isinstance(result, PhoneKnown)]) == 4

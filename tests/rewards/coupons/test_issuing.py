"""Issues: reported before anything is given, given in ranges, once per member, resumed after a stop."""

import pytest

from members.accounts.merging import merge_members
from members.accounts.models import Identity, Person, SegmentMembership
from members.events.models import Audit
from members.jobs.models import JobRun
from members.jobs.schedule import run_now
from rewards.coupons import issuing
from rewards.coupons.issuing import (
    NobodyNamed,
    NotPrepared,
    ReasonMissing,
    TooManyLines,
    drop_issue,
    give_coupon,
    give_range,
    match_lines,
    prepare_list,
    prepare_segment,
    progress_of,
    start_issue,
    try_refused_again,
)
from rewards.coupons.models import CouponIssue
from rewards.redemption.models import Redemption
from rewards.redemption.redeeming import give_reward
from rewards.stock.movements import adjust_stock
from tests.rewards.factories import NOON, make_login, make_member, make_reward

pytestmark = pytest.mark.django_db


def known(**contacts):
    """Return a member with contacts."""
    member = make_member()
    Person.objects.filter(member=member).update(**contacts)
    return member


def prepared(members, reward=None):
    """Return an issue to these members."""
    lines = [member.number for member in members]
    reward = reward or make_reward(stock=None)
    return prepare_list(reward_id=reward.pk, lines=lines, reason="Sorry", actor_id=make_login().pk, at=NOON)


def running(members, reward=None):
    """Return an issue that was started."""
    return start_issue(issue_id=prepared(members, reward).pk, actor_id=make_login().pk, at=NOON)


def test_lines_are_matched_by_number_address_phone_and_outside_id_and_repeats_are_told():
    first, second = known(email="mei@example.com"), known(phone="+447400123456")
    third = make_member()
    Identity.objects.create(member=third, source="shop", value="7")
    lines = ["Mei@Example.com", "", "07400 123456", "identity:shop:7", first.number, "nobody@example.com", "12"]
    found = match_lines(lines)
    assert found.member_ids == [first.pk, second.pk, third.pk]
    assert (found.repeated, found.unmatched) == ([5], [6, 7])


def test_a_line_that_could_be_two_members_names_nobody():
    known(email="shared@example.com")
    known(email="SHARED@example.com")
    assert match_lines(["shared@example.com"]).unmatched == [1]


def test_a_list_takes_the_same_number_of_queries_however_long(django_assert_max_num_queries):
    members = [known(email=f"p{number}@example.com") for number in range(30)]
    with django_assert_max_num_queries(5):
        found = match_lines([line for m in members for line in (f"p{m.pk}@example.com", m.number, "+447700900999")])
    assert len(found.member_ids) == 30


def test_a_list_that_is_too_long_is_refused(monkeypatch):
    monkeypatch.setattr(issuing, "MAX_LINES", 2)
    with pytest.raises(TooManyLines):
        match_lines(["1", "2", "3"])


def test_preparing_reports_and_gives_nothing():
    member, reward = make_member(), make_reward(stock=5)
    issue = prepare_list(
        reward_id=reward.pk, lines=[member.number, "x", member.number], reason="Sorry", actor_id=None, at=NOON
    )
    assert (issue.unmatched_lines, issue.repeated_lines, progress_of(issue.pk).total) == ([2], [3], 1)
    assert give_range(issue_id=issue.pk, limit=0, at=NOON) == 0
    assert not Redemption.objects.exists()
    assert issue.state == "PREPARED"


def test_nobody_named_no_reason_or_an_empty_segment_leaves_nothing():
    reward = make_reward(stock=None)
    with pytest.raises(NobodyNamed):
        prepare_list(reward_id=reward.pk, lines=["x"], reason="Sorry", actor_id=None)
    with pytest.raises(ReasonMissing):
        prepare_list(reward_id=reward.pk, lines=[make_member().number], reason=" ", actor_id=None)
    with pytest.raises(NobodyNamed):
        prepare_segment(reward_id=reward.pk, segment="nobody", reason="Sorry", actor_id=None)
    assert not CouponIssue.objects.exists()


def test_a_segment_is_who_is_in_it_now_without_closed_memberships():
    inside, closed = make_member(), make_member()
    closed.status = "CLOSED"
    closed.save()
    for member in (inside, closed):
        SegmentMembership.objects.create(segment="vip", member=member, since=NOON)
    issue = prepare_segment(reward_id=make_reward(stock=None).pk, segment="vip", reason="Thanks", actor_id=None)
    assert list(issue.recipients.values_list("member", flat=True)) == [inside.pk]


def test_the_job_gives_in_ranges_once_per_member_and_tells_how_far_it_is(monkeypatch):
    monkeypatch.setattr("rewards.coupons.jobs.RANGE", 2)
    members = [make_member() for _ in range(5)]
    issue = running(members)
    seen = []
    run = run_now(job="coupon-issues", at=NOON, on_progress=lambda done, total: seen.append(done))
    assert seen == [2, 4, 5]
    assert run.result == {"settled": 5}
    issue.refresh_from_db()
    assert (issue.state, Redemption.objects.filter(source="SENT", points=0).count()) == ("DONE", 5)
    assert run_now(job="coupon-issues", at=NOON).result == {"settled": 0}
    assert Redemption.objects.count() == 5


def test_starting_asks_for_a_run_once_and_is_in_the_audit():
    issue = running([make_member()])
    start_issue(issue_id=issue.pk, actor_id=None, at=NOON)
    assert JobRun.objects.filter(job="coupon-issues").count() == 1
    actions = Audit.objects.filter(target=issue.public_id).order_by("pk").values_list("action", flat=True)
    assert list(actions) == ["coupons.prepared", "coupons.started"]


def test_an_issue_that_stopped_half_way_carries_on_without_giving_twice(monkeypatch):
    issue = running([make_member() for _ in range(3)])
    real, calls = give_reward, []

    def dies_at_the_second(**wanted):
        calls.append(wanted)
        if len(calls) == 2:
            raise RuntimeError("killed")
        return real(**wanted)

    monkeypatch.setattr(issuing, "give_reward", dies_at_the_second)
    with pytest.raises(RuntimeError):
        give_range(issue_id=issue.pk, limit=10, at=NOON)
    assert progress_of(issue.pk).given == 1
    while give_range(issue_id=issue.pk, limit=10, at=NOON):
        pass
    assert progress_of(issue.pk).given == Redemption.objects.count() == 3


def test_who_cannot_have_it_is_told_and_tried_again_after_a_delivery():
    reward = make_reward(stock=1)
    issue = running([make_member(), make_member()], reward)
    run_now(job="coupon-issues", at=NOON)
    progress = progress_of(issue.pk)
    assert (progress.given, progress.refused, progress.left) == (1, 1, 0)
    assert issue.recipients.exclude(refused="").get().refused == "sold_out"
    adjust_stock(reward_id=reward.pk, quantity=1, reason="delivery", actor_id=None)
    assert try_refused_again(issue_id=issue.pk, actor_id=None) == 1
    run_now(job="coupon-issues", at=NOON)
    assert progress_of(issue.pk).given == 2


def test_two_recipients_who_became_one_member_have_one_coupon():
    loser, survivor = make_member(), make_member()
    issue = running([loser, survivor])
    merge_members(loser_id=loser.pk, survivor_id=survivor.pk, actor_id=make_login().pk, reason="Same", at=NOON)
    run_now(job="coupon-issues", at=NOON)
    assert Redemption.objects.get().member == survivor
    assert progress_of(issue.pk).given == 2


def test_a_dropped_issue_never_starts_and_a_started_one_is_not_dropped():
    dropped, started = prepared([make_member()]), running([make_member()])
    drop_issue(issue_id=dropped.pk, actor_id=None, at=NOON)
    with pytest.raises(NotPrepared):
        start_issue(issue_id=dropped.pk, actor_id=None, at=NOON)
    with pytest.raises(NotPrepared):
        drop_issue(issue_id=started.pk, actor_id=None, at=NOON)


def test_one_coupon_to_one_member_once_per_key_with_its_reason():
    member, reward = make_member(), make_reward(stock=None)
    with pytest.raises(ReasonMissing):
        give_coupon(member_id=member.pk, reward_id=reward.pk, key="k", reason="")
    first = give_coupon(member_id=member.pk, reward_id=reward.pk, key="k", reason="Broken cup")
    assert give_coupon(member_id=member.pk, reward_id=reward.pk, key="k", reason="Broken cup") == first
    assert Audit.objects.get(action="coupon.given").reason == "Broken cup"

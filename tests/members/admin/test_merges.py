"""Staff merge two members: both side by side first, a second person where many points move."""

import pytest

from members.accounts.models import Member, MergeRequest
from members.ledger import posting
from members.models import PointsEntry
from members.programme.models import Programme
from tests.factories import NOW, buy, give, make_member, make_rule, make_user

pytestmark = pytest.mark.django_db


def page_of(member):
    return f"/admin/members/member/{member.pk}/merge/"


def said(loser, **fields):
    return {"number": loser.number, "reason": "Two cards, one person"} | fields


def test_both_members_are_shown_before_anything_happens(client, boss):
    loser, survivor = make_member(points=120), make_member(points=7)
    text = client.post(page_of(survivor), said(loser, preview="1")).content.decode()
    assert "Before the merge" in text
    assert ">120<" in text
    assert ">7<" in text
    assert Member.objects.get(pk=loser.pk).status == "ACTIVE"


def test_confirming_what_was_shown_merges(client, boss):
    loser, survivor = make_member(points=120), make_member()
    answer = client.post(page_of(survivor), said(loser, previewed=loser.number, confirm="1"), follow=True)
    assert "now ends in this one" in answer.content.decode()
    assert Member.objects.get(pk=loser.pk).merged_into == survivor


def test_another_number_than_the_one_shown_is_shown_first(client, boss):
    loser, other, survivor = make_member(), make_member(), make_member()
    client.post(page_of(survivor), said(loser, previewed=other.number, confirm="1"))
    assert Member.objects.get(pk=loser.pk).status == "ACTIVE"


def test_a_purchase_that_both_have_is_pointed_out(client, boss):
    make_rule()
    loser, survivor = make_member(), make_member()
    buy(loser, 2500, number="A-1")
    buy(survivor, 2500, number="B-1")
    buy(loser, 900, number="A-2")
    text = client.post(page_of(survivor), said(loser)).content.decode()
    assert "A-1 / B-1" in text
    assert "A-2 /" not in text


def test_two_bonuses_for_joining_are_pointed_out(client, boss):
    loser, survivor = make_member(), make_member()
    for member in (loser, survivor):
        entry = give(member, 50)
        assert entry.kind == PointsEntry.Kind.GRANT
    assert "Both had a bonus" not in client.post(page_of(survivor), said(loser)).content.decode()
    for member in (loser, survivor):
        posting.grant(member_id=member.pk, points=50, key=f"b{member.pk}", reason="sign-up", at=NOW)
    assert "Both had a bonus" in client.post(page_of(survivor), said(loser)).content.decode()


@pytest.mark.parametrize("number", ["1234567890", "x", ""])
def test_a_number_that_names_nobody_is_refused(client, boss, number):
    survivor = make_member()
    assert client.post(page_of(survivor), {"number": number, "reason": "x"}).status_code == 422


def test_the_own_number_is_refused_in_words(client, boss):
    member = make_member()
    text = client.post(page_of(member), said(member, previewed=member.number, confirm="1")).content.decode()
    assert "the same member" in text


def test_many_points_wait_for_a_second_person(client, colleague):
    loser, survivor = make_member(points=Programme.current().adjustment_limit + 1), make_member()
    colleague("support")
    client.post(page_of(survivor), said(loser, previewed=loser.number, confirm="1"))
    asked = MergeRequest.objects.get()
    colleague("approver")
    assert "Before the merge" in client.get(f"/admin/members/mergerequest/{asked.pk}/change/").content.decode()
    client.post(
        "/admin/members/mergerequest/", {"action": "approve_merges", "_selected_action": [asked.pk], "confirm": "1"}
    )
    assert Member.objects.get(pk=loser.pk).merged_into == survivor


def test_a_merge_is_refused_with_a_reason(client, boss):
    loser, survivor = make_member(), make_member()
    asked = MergeRequest.objects.create(
        loser=loser, survivor=survivor, reason="?", requested_by=make_user(), requested_at=NOW
    )
    chosen = {"action": "refuse_merges", "_selected_action": [asked.pk]}
    assert "reason" in client.post("/admin/members/mergerequest/", chosen).content.decode()
    client.post("/admin/members/mergerequest/", chosen | {"reason": "Father and son"})
    asked.refresh_from_db()
    assert asked.state == "REFUSED"


def test_the_page_of_one_that_ended_leads_to_the_one_that_stays(client, boss):
    loser, survivor = make_member(), make_member()
    client.post(page_of(survivor), said(loser, previewed=loser.number, confirm="1"))
    text = client.get(f"/admin/members/member/{loser.pk}/change/").content.decode()
    assert f"/admin/members/member/{survivor.pk}/change/" in text
    assert "member-buttons" not in text

"""Every page of the back office opens, and nobody changes history there."""

import pytest
from django.apps import apps
from django.contrib import admin
from django.contrib.admin.utils import label_for_field
from django.contrib.auth.models import AnonymousUser
from django.test import RequestFactory
from django.urls import reverse
from django.utils.translation import override

from members.ledger import holds
from members.models import Member, PointsEntry
from members.purchases.receipt_claims import refuse_claim
from tests import factories
from tests.members.admin.shop import furnish

pytestmark = pytest.mark.django_db

READ_ONLY = [
    "pointsentry", "pointslot", "event", "audit", "consent", "purchasekey", "purchase", "return", "standing",
    "purchaseimport", "idempotencykey", "heartbeat", "jobrun", "outbox", "eventreader", "adjustmentrequest",
]  # fmt: skip


def test_every_list_and_every_row_opens_for_a_superuser(client, boss):
    for name, row in furnish().items():
        listed = client.get(reverse(f"admin:members_{name}_changelist"), follow=True)
        assert listed.status_code == 200, name
        opened = client.get(reverse(f"admin:members_{name}_change", args=[row.pk]))
        assert opened.status_code == 200, name
        assert b"style=" not in opened.content, name


def test_every_form_to_add_opens_for_a_superuser(client, boss):
    factories.make_tiers()
    for model in ("member", "earningrule", "tierset", "store", "apikey", "user"):
        assert client.get(reverse(f"admin:members_{model}_add")).status_code == 200, model


def test_every_list_can_be_searched(client, boss):
    furnish()
    for model, model_admin in admin.site._registry.items():
        if model._meta.app_label == "members" and model_admin.search_fields:
            found = client.get(reverse(f"admin:members_{model._meta.model_name}_changelist"), {"q": "a\x00b 'x"})
            assert found.status_code in (200, 302), model


@pytest.mark.parametrize("name", READ_ONLY)
def test_a_superuser_cannot_add_change_or_delete(client, boss, name):
    row = furnish()[name]
    before = type(row).objects.filter(pk=row.pk).values().get()
    assert client.get(reverse(f"admin:members_{name}_add")).status_code == 403
    assert client.post(reverse(f"admin:members_{name}_change", args=[row.pk]), {"points": 1}).status_code == 403
    assert client.post(reverse(f"admin:members_{name}_delete", args=[row.pk]), {"post": "yes"}).status_code == 403
    assert type(row).objects.filter(pk=row.pk).values().get() == before


def test_no_table_of_members_offers_to_delete_what_was_chosen(rf: RequestFactory):
    request = rf.get("/")
    request.user = factories.make_staff()
    for model, model_admin in admin.site._registry.items():
        if model._meta.app_label == "members":
            assert "delete_selected" not in model_admin.get_actions(request), model


def test_a_visitor_is_sent_to_the_login(client):
    assert AnonymousUser().is_staff is False
    response = client.get(reverse("admin:members_member_changelist"))
    assert response.status_code == 302


def test_the_front_page_shows_daily_work_first(client, boss):
    names = [app["app_label"] for app in client.get(reverse("admin:index")).context["app_list"]]
    assert names[0] == "members"
    assert names[-2:] == ["programme", "operations"]


@pytest.mark.parametrize(
    ("role", "name", "offered"),
    [
        ("support", "receiptclaim", ["approve", "refuse"]),
        ("support", "hold", ["release"]),
        ("support", "adjustmentrequest", []),
        ("approver", "adjustmentrequest", ["approve", "refuse"]),
        ("approver", "mergerequest", ["approve_merges", "refuse_merges"]),
        ("approver", "hold", []),
    ],
)
def test_what_waits_is_decided_on_its_own_page_by_those_who_may(client, colleague, role, name, offered):
    rows = furnish()
    colleague(role)
    row = type(rows[name]).objects.filter(state__in=["WAITING", "HELD"]).first()
    address = reverse(f"admin:members_{name}_change", args=[row.pk])
    assert [action for action, _label in client.get(address).context["decisions"]] == offered


def test_what_was_decided_offers_no_decision(client, boss):
    rows = furnish()
    holds.release(hold_id=rows["hold"].pk, actor_id=boss.pk, reason="Cancelled", by_seller=False)
    refuse_claim(claim_id=rows["receiptclaim"].pk, actor_id=boss.pk, reason="Not ours")
    for name in ("hold", "receiptclaim"):
        page = client.get(reverse(f"admin:members_{name}_change", args=[rows[name].pk]))
        assert page.context["decisions"] == []


def test_pages_that_belong_together_lead_to_each_other(client, boss):
    rows = furnish()
    purchase, returned = rows["purchase"], rows["return"]
    entry = PointsEntry.objects.get(purchase_id=purchase.pk, kind="EARN")

    def page_of(name, row):
        return client.get(reverse(f"admin:members_{name}_change", args=[row.pk])).content.decode()

    def links(name, row):
        return f'href="{reverse(f"admin:members_{name}_change", args=[row.pk])}"'

    assert links("purchase", purchase) in page_of("pointsentry", entry)
    assert links("pointsentry", entry) in page_of("purchase", purchase)
    assert links("return", returned) in page_of("purchase", purchase)
    assert links("purchase", purchase) in page_of("return", returned)
    member = page_of("member", purchase.member)
    for name, row in (("pointsentry", entry), ("purchase", purchase), ("return", returned)):
        assert links(name, row) in member
    assert f"/admin/members/hold/?q={purchase.member.number}" in member


def test_a_member_page_leads_only_where_its_reader_may_look(client, colleague):
    member = furnish()["member"]
    colleague("admin")
    text = client.get(reverse("admin:members_member_change", args=[member.pk])).content.decode()
    assert "/admin/members/pointsentry/" in text
    assert "/admin/members/hold/" not in text
    assert "/admin/members/purchase/" not in text


@pytest.mark.parametrize(
    ("model", "field", "label"),
    [
        ("purchase", "member", "會員"),
        ("purchase", "store", "門市"),
        ("standing", "tier", "等級"),
        ("pointsgift", "taker", "收受人"),
    ],
)
def test_a_field_without_a_name_in_its_model_is_labelled_in_the_language_of_the_reader(model, field, label):
    with override("zh-hant"):
        assert str(label_for_field(field, apps.get_model("members", model))) == label


def test_only_machinery_stands_under_operations(client, boss):
    groups = {app["app_label"]: app["models"] for app in client.get(reverse("admin:index")).context["app_list"]}
    assert {model["object_name"] for model in groups["operations"]} == {
        "Audit", "Event", "EventReader", "Heartbeat", "IdempotencyKey", "JobRun", "Outbox", "PurchaseImport",
        "PurchaseKey",
    }  # fmt: skip
    assert [model["object_name"] for model in groups["members"]][:5] == [
        "Member", "ReceiptClaim", "UnclaimedPurchase", "AdjustmentRequest", "MergeRequest",
    ]  # fmt: skip


def test_the_list_of_members_costs_the_same_for_two_and_for_forty(client, boss, django_assert_max_num_queries):
    factories.make_tiers()
    for _ in range(40):
        factories.make_member(points=10, name="Ada Example")
    with django_assert_max_num_queries(12):
        response = client.get(reverse("admin:members_member_changelist"))
    assert response.status_code == 200


def test_the_page_of_a_member_costs_the_same_however_long_the_history(client, boss, django_assert_max_num_queries):
    member = furnish()["member"]
    for _ in range(15):
        factories.buy(member, 500)
    with django_assert_max_num_queries(24):
        response = client.get(reverse("admin:members_member_change", args=[member.pk]))
    assert response.status_code == 200


@pytest.mark.parametrize("term", ["ada@EXAMPLE.com", "07700 900123", "+447700900123", "ada ex"])
def test_a_member_is_found_by_address_telephone_and_name(client, boss, term):
    member = factories.make_member(name="Ada Example", email="ada@example.com", phone="+447700900123")
    factories.make_member(name="Bob Other", email="bob@example.com")
    found = client.get(reverse("admin:members_member_changelist"), {"q": term}).context["cl"].result_list
    assert [row.pk for row in found] == [member.pk]


def test_a_member_is_found_by_number(client, boss):
    member, _other = factories.make_member(), factories.make_member()
    typed = f"{member.number[:3]} {member.number[3:]}"
    found = client.get(reverse("admin:members_member_changelist"), {"q": typed}).context["cl"].result_list
    assert [row.pk for row in found] == [member.pk]


def test_the_page_of_a_member_says_why_each_entry_is_there(client, boss):
    member = furnish()["member"]
    page = client.get(reverse("admin:members_member_change", args=[member.pk])).content.decode()
    assert "Base rate" in page
    assert "Kind gesture" in page
    assert Member.objects.get(pk=member.pk).person.email in page


def test_an_unknown_member_is_not_found(client, boss):
    assert client.get("/admin/members/member/999999/change/").status_code == 404
    assert client.get("/admin/members/member/abc/change/").status_code == 404

"""Earning rules, caps and the dry run in the back office."""

import pytest
from django.urls import reverse

from members.events.models import Audit
from members.models import EarningCap, EarningRule, PointsEntry
from tests import factories
from tests.members.admin.test_settings import RULE, add_rule, errors_of

pytestmark = pytest.mark.django_db

CAP = {
    "name_en": "July cap",
    "is_active": "on",
    "limit": "500",
    "period": "MONTH",
    "manner": "CLIP",
    "point_type": "SPENDABLE",
    "why": "Summer",
}


@pytest.fixture(autouse=True)
def furnished(boss):
    """A store and tiers that rules can name."""
    factories.make_store()
    factories.make_tiers()


def add_cap(client, **changes):
    return client.post(reverse("admin:members_earningcap_add"), CAP | changes)


def test_a_rule_with_everything_is_stored_as_it_was_typed(client):
    response = add_rule(
        client,
        kind="ITEM",
        only_skus="TEA, CUP",
        only_stores="harbour",
        only_tiers="gold",
        only_segments="new",
        weekdays=["6", "7"],
        hours_from="22:00",
        hours_until="02:00",
        group="tea",
        group_mode="BEST",
        priority="3",
        pending_days="14",
        expiry_months="0",
    )
    assert response.status_code == 302, response.context["adminform"].form.errors
    rule = EarningRule.objects.get()
    assert (rule.weekdays, rule.only_tiers, rule.only_stores) == ([6, 7], ["gold"], ["harbour"])
    assert (rule.hours_from.hour, rule.group_mode, rule.expiry_months) == (22, "BEST", 0)
    shown = client.get(reverse("admin:members_earningrule_change", args=[rule.pk])).context["adminform"].form
    assert shown["weekdays"].value() == [6, 7]


@pytest.mark.parametrize(
    "changes", [{}, {"point_type": "STATUS"}, {"pending_days": "3"}, {"never_expires": "on"}, {"expiry_months": "6"}]
)
def test_an_event_rule_is_stored(client, changes):
    assert add_rule(client, kind="EVENT", event_kind="member.joined", **changes).status_code == 302


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"currency": ""}, "currency"),
        ({"kind": "PURCHASE", "currency": "", "minimum_amount": "100"}, "currency"),
        ({"kind": "MULTIPLIER", "multiplier": "1"}, "multiplier"),
        ({"kind": "MULTIPLIER", "multiplier": "0.5"}, "multiplier"),
        ({"kind": "MULTIPLIER", "multiplier": "2", "pending_days": "3"}, "kind"),
        ({"kind": "EVENT"}, "event_kind"),
        ({"kind": "EVENT", "event_kind": "Somebody joined"}, "event_kind"),
        ({"kind": "EVENT", "event_kind": "points.granted"}, "event_kind"),
        ({"kind": "EVENT", "event_kind": "member.joined", "only_skus": "TEA"}, "only_skus"),
        ({"kind": "EVENT", "event_kind": "member.joined", "pending_event": "purchase.delivered"}, "pending_event"),
        ({"event_kind": "member.joined"}, "event_kind"),
        ({"pending_days": "3", "pending_event": "parcel.delivered"}, "pending_event"),
        ({"never_expires": "on", "expiry_months": "3"}, "expiry_months"),
        ({"point_type": "STATUS", "pending_days": "3"}, "point_type"),
        ({"hours_from": "10:00", "hours_until": "10:00"}, "hours_until"),
        ({"only_skus": "TEA", "excluded_skus": "TEA"}, "excluded_skus"),
        ({"only_brands": "Elm", "excluded_brands": "Elm"}, "excluded_brands"),
        ({"only_stores": "nowhere"}, "only_stores"),
        ({"excluded_stores": "nowhere"}, "excluded_stores"),
        ({"only_tiers": "paper"}, "only_tiers"),
        ({"weekdays": ["8"]}, "weekdays"),
        ({"group_mode": "BEST"}, "group"),
    ],
)
def test_what_cannot_work_together_is_refused_with_words(client, changes, field):
    assert list(errors_of(add_rule(client, **changes))) == [field]
    assert not EarningRule.objects.exists()


def test_rules_of_one_group_stack_in_one_way_and_multipliers_apart(client):
    factories.make_rule(group="tea", group_mode="BEST")
    assert "group_mode" in errors_of(add_rule(client, group="tea", group_mode="FIRST"))
    assert "group" in errors_of(add_rule(client, kind="MULTIPLIER", multiplier="2", group="tea", group_mode="BEST"))
    assert add_rule(client, group="tea", group_mode="BEST").status_code == 302


def test_a_rule_that_is_changed_counts_at_once(client):
    add_rule(client)
    rule = EarningRule.objects.get()
    member = factories.make_member()
    assert factories.buy(member).points == 38
    client.post(reverse("admin:members_earningrule_change", args=[rule.pk]), RULE | {"points": "3"})
    assert factories.buy(member).points == 57


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"points": 2, "per_amount": 150}, "2 per 1.50 GBP"),
        ({"kind": "MULTIPLIER", "multiplier": "1.500"}, "× 1.5"),
        ({"kind": "MULTIPLIER", "multiplier": "10.000"}, "× 10"),
        ({"kind": "ITEM", "points": 7}, "7 per item"),
        ({"kind": "PURCHASE", "points": 1200}, "1,200 per purchase"),
        ({"kind": "EVENT", "points": 50, "event_kind": "member.joined"}, "50 per event member.joined"),
    ],
)
def test_the_list_says_what_a_rule_gives(client, fields, words):
    factories.make_rule(**fields)
    assert words in client.get(reverse("admin:members_earningrule_changelist")).content.decode()


def test_the_form_says_what_a_minor_unit_is_and_names_the_tiers(client):
    page = client.get(reverse("admin:members_earningrule_add")).content.decode()
    assert page.count("100 is 1.00 GBP.") == 2
    assert "This tier and all above: 0 " in page
    assert 'name="only_tiers" value="gold"' in page
    assert "100 is 1.00 GBP." in client.get(reverse("admin:members_programme_changelist"), follow=True).content.decode()


def test_a_cap_counts_at_once_and_leaves_a_reason(client, boss):
    rule, other = factories.make_rule(), factories.make_rule(name_en="Other", points=2)
    member = factories.make_member()
    factories.buy(member)
    response = add_cap(client, limit="5", rules=[str(rule.pk)])
    assert response.status_code == 302, response.context["adminform"].form.errors
    cap = EarningCap.objects.get()
    assert list(cap.rules.all()) == [rule]
    assert factories.buy(member).points == 5 + 38
    written = Audit.objects.get(action="earningcap.added")
    assert (written.reason, written.data["fields"]["rules"]) == ("Summer", ["None", str(rule)])
    assert other not in cap.rules.all()


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"limit": "-1"}, "limit"),
        ({"of_everybody": "on", "period": "PURCHASE"}, "period"),
        ({"why": ""}, "why"),
        (
            {
                "valid_from_0": "2026-02-01",
                "valid_from_1": "00:00",
                "valid_until_0": "2026-01-01",
                "valid_until_1": "00:00",
            },
            "valid_until",
        ),
    ],
)
def test_a_wrong_cap_is_refused_with_words(client, changes, field):
    assert list(errors_of(add_cap(client, **changes))) == [field]
    assert not EarningCap.objects.exists()


def test_a_cap_covers_rules_of_its_own_type_of_points(client):
    status = factories.make_rule(point_type="STATUS")
    assert "rules" in errors_of(add_cap(client, rules=[str(status.pk)]))


def ask(client, **fields):
    asked = {"currency": "GBP", "at": "2026-06-15T12:00", "lines-TOTAL_FORMS": "2", "lines-INITIAL_FORMS": "0"}
    asked |= {"lines-0-amount": "12.00", "lines-0-sku": "TEA", "lines-1-amount": "6.00", "lines-1-quantity": "3"}
    return client.get(reverse("admin:members_earningrule_try"), asked | fields)


def test_the_dry_run_takes_lines_member_date_and_chosen_rules(client):
    factories.make_rule()
    planned = factories.make_rule(name_en="Planned", kind="ITEM", points=5, is_active=False)
    factories.make_cap(limit=20, period="MONTH")
    member = factories.make_member()
    factories.buy(member, amount=1500)
    assert ask(client).context["quoted"].points == 18
    assert ask(client, member=member.number).context["quoted"].points == 5
    assert ask(client, member=member.number, at="2026-07-15T12:00").context["quoted"].points == 18
    assert ask(client, rules=[planned.pk]).context["quoted"].points == 20
    assert PointsEntry.objects.count() == 1


def test_the_dry_run_knows_tax_discount_and_payment(client):
    factories.make_rule(base="PURCHASE_NET", before_discount=True, counts_points_paid=False)
    told = {"lines-0-tax": "2.00", "lines-1-discount": "4.00", "shipping": "2.00", "points_paid": "10.00"}
    response = ask(client, **told)
    assert response.context["quoted"].points == 11  # (10 + 10 + 2) × half
    assert "usable from" in response.content.decode()


@pytest.mark.parametrize(
    "wrong",
    [
        {"member": "nobody"},
        {"lines-0-amount": "x"},
        {"currency": "pounds"},
        {"currency": "JPY", "lines-0-amount": "1.50"},
    ],
)
def test_the_dry_run_asks_again_for_what_it_does_not_understand(client, wrong):
    response = ask(client, **wrong)
    assert response.status_code == 200
    assert response.context["quoted"] is None


def test_the_dry_run_without_a_question_shows_the_form(client):
    response = client.get(reverse("admin:members_earningrule_try"))
    assert (response.status_code, response.context["quoted"]) == (200, None)

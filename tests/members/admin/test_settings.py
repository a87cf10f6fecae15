"""Rules, tiers, the programme and logins: changed with a reason, checked before they count."""

import json
import re

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Group
from django.urls import reverse

from members.accounts.roles import sync_roles
from members.events.models import Audit
from members.models import EarningRule, Programme, Purchase, Standing, Tier, TierSet, User
from members.tiers import versions
from members.tiers.recalculation import recalculate
from tests import factories

pytestmark = pytest.mark.django_db

RULE = {
    "name_en": "Tea days",
    "is_active": "on",
    "points": "2",
    "per_amount": "100",
    "currency": "GBP",
    "kind": "AMOUNT",
    "point_type": "SPENDABLE",
    "steps": "WHOLE",
    "multiplier": "1",
    "base": "LINES",
    "counts_points_paid": "on",
    "counts_gift_card": "on",
    "counts_shipping": "on",
    "minimum_amount": "0",
    "minimum_rank": "0",
    "group_mode": "ADD",
    "priority": "0",
    "pending_days": "0",
    "tier_multiplier": "on",
    "why": "Summer",
}


def errors_of(response):
    """Return the errors of an admin form."""
    assert response.status_code == 200
    return response.context["adminform"].form.errors


def add_rule(client, **changes):
    """Send the form of a new rule."""
    return client.post(reverse("admin:members_earningrule_add"), RULE | changes)


GIVES = {"gift_points": "0", "birthday_percent": "0", "birthday_points": "0"}


def ladder(*rungs, tier_set=None, **head):
    """Return what the form of a tier set sends: rungs of (rank, threshold)."""
    sent = {"version": "50", "basis": "POINTS", "combine": "ALL", "point_type": "SPENDABLE", "why": "New year"}
    sent |= {"window": "MONTHS", "window_months": "12", "window_days": "365"}
    sent |= {"keep": "MONTHS", "keep_months": "12", "keep_days": "365"}
    sent |= {"grace_months": "0", "grace_days": "0", "drop": "FULL"}
    sent |= {"tiers-TOTAL_FORMS": str(len(rungs)), "tiers-INITIAL_FORMS": "0"}
    for place, (rank, threshold) in enumerate(rungs):
        row = {"rank": rank, "threshold": threshold, "code": f"t{place}", "name_en": f"T{place}", "multiplier": "1"}
        row |= GIVES
        sent |= {f"tiers-{place}-{name}": str(value) for name, value in row.items()}
    return sent | head


def act(client, action, row, **more):
    """Run an action on one tier set."""
    chosen = {"action": action, "_selected_action": [row.pk]}
    return client.post(reverse("admin:members_tierset_changelist"), chosen | more, follow=True)


def test_a_rule_takes_words_by_line_or_comma_and_leaves_a_reason(client, boss):
    response = add_rule(client, only_categories="tea, cups\r\n 茶，tea", excluded_skus="BAG")
    assert response.status_code == 302, response.context["adminform"].form.errors
    rule = EarningRule.objects.get()
    assert (rule.only_categories, rule.excluded_skus) == (["tea", "cups", "茶"], ["BAG"])
    row = Audit.objects.get(action="earningrule.added")
    assert (row.actor_id, row.reason) == (boss.pk, "Summer")
    assert LogEntry.objects.get().object_repr == "Tea days"


def test_a_changed_rule_shows_old_and_new_in_the_audit(client, boss):
    add_rule(client, only_categories="tea")
    rule = EarningRule.objects.get()
    address = reverse("admin:members_earningrule_change", args=[rule.pk])
    assert "tea" in client.get(address).content.decode()
    client.post(address, RULE | {"points": "3", "only_categories": "tea", "why": "Autumn"})
    row = Audit.objects.get(action="earningrule.changed")
    assert row.data["fields"] == {"points": ["2", "3"]}


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"why": ""}, "why"),
        ({"per_amount": "0"}, "per_amount"),
        ({"currency": "£"}, "currency"),
        ({"only_categories": "x" * 61}, "only_categories"),
        ({"only_categories": "tea", "excluded_categories": "tea"}, "excluded_categories"),
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
def test_a_wrong_rule_is_refused_with_words(client, boss, changes, field):
    assert field in errors_of(add_rule(client, **changes))
    assert not EarningRule.objects.exists()


def test_times_are_typed_in_the_zone_of_the_programme(client, boss):
    factories.set_programme(zone="Asia/Taipei")
    add_rule(client, valid_from_0="2026-06-15", valid_from_1="00:00:00")
    rule = EarningRule.objects.get()
    assert rule.valid_from.isoformat() == "2026-06-14T16:00:00+00:00"
    shown = client.get(reverse("admin:members_earningrule_change", args=[rule.pk])).content.decode()
    assert 'value="00:00:00"' in shown


def test_the_dry_run_says_points_and_reasons_and_writes_nothing(client, boss):
    factories.make_rule(excluded_categories=["gift"])
    factories.make_tiers()
    gold = Tier.objects.get(code="gold")
    asked = {"currency": "GBP", "at": "2026-06-15T12:00", "tier": gold.pk}
    asked |= {
        "lines-TOTAL_FORMS": "1",
        "lines-INITIAL_FORMS": "0",
        "lines-0-amount": "19.99",
        "lines-0-category": "tea",
    }
    response = client.get(reverse("admin:members_earningrule_try"), asked)
    assert response.context["quoted"].points == 28
    assert "Base rate" in response.content.decode()
    left_out = client.get(reverse("admin:members_earningrule_try"), asked | {"lines-0-category": "gift"})
    assert left_out.context["quoted"].points == 0
    assert not Purchase.objects.exists()


def test_a_ladder_is_stored_and_not_in_force(client, boss):
    response = client.post(reverse("admin:members_tierset_add"), ladder((0, 0), (1, 500)))
    assert response.status_code == 302
    tier_set = TierSet.objects.get()
    assert (tier_set.is_current, tier_set.tiers.count()) == (False, 2)


@pytest.mark.parametrize("rungs", [[(0, 0), (1, 500), (2, 500)], [(1, 0), (2, 5)], [(0, 0), (2, 5)], []])
def test_what_is_no_ladder_is_refused(client, boss, rungs):
    response = client.post(reverse("admin:members_tierset_add"), ladder(*rungs))
    assert response.status_code == 200
    assert "Ranks count" in response.content.decode()
    assert not TierSet.objects.exists()


def test_putting_a_set_in_force_replaces_the_old_one_with_a_reason(client, boss):
    old = factories.make_tiers()
    client.post(reverse("admin:members_tierset_add"), ladder((0, 0), (1, 300), version=old.version + 1))
    new = TierSet.objects.exclude(pk=old.pk).get()
    assert b'name="reason"' in act(client, "put_in_force", new).content
    act(client, "put_in_force", new, reason="Anniversary")
    assert list(TierSet.objects.filter(is_current=True)) == [new]
    row = Audit.objects.get(action="tier_set.in_force")
    assert (row.reason, row.data) == ("Anniversary", {"before": [str(old)]})


def test_a_set_without_tiers_does_not_come_in_force(boss):
    old = factories.make_tiers()
    empty = TierSet.objects.create(version=old.version + 1)
    with pytest.raises(versions.LadderIncomplete):
        versions.put_in_force(tier_set_id=empty.pk, actor_id=boss.pk, reason="Test")
    assert TierSet.objects.get(is_current=True) == old


def test_what_decides_is_fixed_while_in_force_but_names_are_not(client, boss):
    tier_set = factories.make_tiers(thresholds=(0, 500))
    tiers = list(tier_set.tiers.all())
    sent = {"why": "Nicer words", "tiers-TOTAL_FORMS": "2", "tiers-INITIAL_FORMS": "2"}
    for place, tier in enumerate(tiers):
        sent |= {
            f"tiers-{place}-id": str(tier.pk),
            f"tiers-{place}-tier_set": str(tier_set.pk),
            f"tiers-{place}-name_en": f"New {tier.code}",
            f"tiers-{place}-threshold": "7",
            f"tiers-{place}-multiplier": "9",
            **{f"tiers-{place}-{name}": value for name, value in GIVES.items()},
        }
    response = client.post(reverse("admin:members_tierset_change", args=[tier_set.pk]), sent)
    assert response.status_code == 302, response.context["errors"]
    assert list(tier_set.tiers.values_list("name_en", "threshold")) == [("New blue", 0), ("New silver", 500)]
    assert {float(tier.multiplier) for tier in tier_set.tiers.all()} == {1.0, 1.25}


def test_a_set_that_members_stood_on_stays_fixed_after_it_was_replaced(client, boss):
    old = factories.make_tiers()
    factories.make_member()
    recalculate(at=factories.NOW)
    assert Standing.objects.exists()
    copy = versions.copy_tier_set(tier_set_id=old.pk, actor_id=boss.pk, reason="Test")
    versions.put_in_force(tier_set_id=copy.pk, actor_id=boss.pk, reason="Test")
    page = client.get(reverse("admin:members_tierset_change", args=[old.pk])).content.decode()
    assert 'name="tiers-0-threshold"' not in page


def test_a_copy_has_the_same_tiers_and_is_not_in_force(client, boss):
    old = factories.make_tiers()
    act(client, "copy", old)
    copy = TierSet.objects.exclude(pk=old.pk).get()
    assert (copy.version, copy.is_current) == (old.version + 1, False)
    kept = ("code", "rank", "name_en", "threshold", "multiplier")
    assert list(copy.tiers.values_list(*kept)) == list(old.tiers.values_list(*kept))


def test_the_programme_is_one_row_changed_with_a_reason(client, boss):
    programme = Programme.current()
    response = client.get(reverse("admin:members_programme_changelist"))
    address = reverse("admin:members_programme_change", args=[programme.pk])
    assert response.url == address
    form = client.get(address).context["adminform"].form
    sent = {name: form.get_initial_for_field(field, name) for name, field in form.fields.items()}
    sent = {name: value for name, value in sent.items() if value is not None and value is not False}
    assert "why" in errors_of(client.post(address, sent | {"adjustment_limit": 50}))
    assert client.post(address, sent | {"adjustment_limit": 50, "why": "Smaller"}).status_code == 302
    assert Programme.current().adjustment_limit == 50
    assert Audit.objects.get(action="programme.changed").data["fields"]["adjustment_limit"] == ["1000", "50"]
    assert client.get(reverse("admin:members_programme_add")).status_code == 403


def login_form(**changes):
    """Return what the form of a login sends."""
    return {"email": "eve@example.com", "is_active": "on", "is_staff": "on", "why": "New colleague"} | changes


def test_a_colleague_is_added_with_a_role_and_without_a_password(client, boss):
    sync_roles()
    support = Group.objects.get(name="support")
    response = client.post(reverse("admin:members_user_add"), login_form(groups=[support.pk]))
    assert response.status_code == 302, response.context["adminform"].form.errors
    user = User.objects.get(email="eve@example.com")
    assert user.is_staff
    assert not user.has_usable_password()
    assert list(user.groups.all()) == [support]
    written = json.dumps([row.data for row in Audit.objects.all()])
    written += "".join(entry.object_repr + entry.change_message for entry in LogEntry.objects.all())
    assert "eve@" not in written


def test_an_address_serves_one_login(client, boss):
    factories.make_user(email="eve@example.com")
    assert "email" in errors_of(client.post(reverse("admin:members_user_add"), login_form(email="EVE@example.com")))


def test_whoever_leaves_is_made_inactive_and_loses_the_session(client, boss, django_user_model):
    leaver = factories.make_user(is_staff=True)
    sent = {"is_staff": "on", "why": "Left"}
    client.post(reverse("admin:members_user_change", args=[leaver.pk]), sent)
    leaver.refresh_from_db()
    assert not leaver.is_active
    client.force_login(leaver)
    assert client.get(reverse("admin:index")).status_code == 302


def test_nobody_changes_their_own_rights(client, colleague):
    admin_user = colleague("admin")
    address = reverse("admin:members_user_change", args=[admin_user.pk])
    groups = [group.pk for group in Group.objects.all()]
    client.post(address, {"is_active": "on", "is_staff": "on", "groups": groups, "why": "More"})
    assert [group.name for group in admin_user.groups.all()] == ["admin"]


def test_a_role_touches_no_superuser_and_makes_none(client, colleague):
    boss = factories.make_staff()
    colleague("admin")
    address = reverse("admin:members_user_change", args=[boss.pk])
    assert client.post(address, {"why": "Coup"}).status_code == 403
    client.post(reverse("admin:members_user_add"), login_form(is_superuser="on"))
    assert not User.objects.get(email="eve@example.com").is_superuser


def test_a_new_colleague_signs_in_by_mailed_codes_alone(client, boss, mailoutbox):
    client.post(reverse("admin:members_user_add"), login_form())
    client.logout()
    client.post(reverse("account_request_login_code"), {"email": "eve@example.com"})
    client.post(reverse("account_confirm_login_code"), {"code": mailed_code(mailoutbox)})
    # The first time the address is confirmed as well.
    client.post(reverse("account_email_verification_sent"), {"code": mailed_code(mailoutbox)})
    assert client.get(reverse("admin:index")).status_code == 200


def mailed_code(mailoutbox):
    """Return the code in the newest mail."""
    assert mailoutbox[-1].to == ["eve@example.com"]
    code = re.search(r"^\s*(\d{6})\s*$", mailoutbox[-1].body, re.MULTILINE)
    assert code, mailoutbox[-1].body
    return code.group(1)


def test_before_a_set_comes_in_force_it_is_shown_who_would_rise_and_fall(client, boss):
    old = factories.make_tiers()
    factories.make_member()
    recalculate(at=factories.NOW)
    copy = versions.copy_tier_set(tier_set_id=old.pk, actor_id=boss.pk, reason="Test")
    response = act(client, "put_in_force", copy)
    assert (response.context["preview"].rise, response.context["preview"].stay) == (0, 1)
    assert "Fall at the end of their term" in response.content.decode()


def test_a_set_can_be_planned_and_the_plan_cancelled(client, boss):
    old = factories.make_tiers()
    copy = versions.copy_tier_set(tier_set_id=old.pk, actor_id=boss.pk, reason="Test")
    response = act(client, "put_in_force", copy, reason="New year", at="2099-01-01T00:00")
    assert "takes effect in the night" in response.content.decode()
    copy.refresh_from_db()
    assert (copy.is_current, copy.planned_at.year) == (False, 2099)
    assert b'name="reason"' in act(client, "cancel_plan", copy).content
    act(client, "cancel_plan", copy, reason="Not yet")
    copy.refresh_from_db()
    assert copy.planned_at is None
    assert Audit.objects.get(action="tier_set.plan_cancelled").reason == "Not yet"


def test_an_incomplete_set_is_refused_before_anything_is_asked(client, boss):
    factories.make_tiers()
    empty = TierSet.objects.create(version=10**6)
    assert "Ranks count" in act(client, "put_in_force", empty).content.decode()
    assert "Choose one set" in act(client, "cancel_plan", TierSet(pk=0)).content.decode()

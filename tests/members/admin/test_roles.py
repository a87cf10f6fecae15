"""Who may open what: every page and every action against the matrix of roles."""

import io

import pytest
from django.contrib import admin
from django.contrib.auth.models import Group
from django.core.management import call_command
from django.urls import reverse

from members.accounts import roles
from tests import factories
from tests.feedback.factories import make_survey
from tests.members.admin.shop import furnish
from tests.rewards.factories import make_reward

pytestmark = pytest.mark.django_db

ROLES = ["admin", "approver", "auditor", "catalogue", "clerk", "marketing", "support"]

# Pages beside Django's own five for each table, the permission each needs, and the row or word in its address.
# A page that is not here fails the sweep: nobody adds one without saying who may open it.
PAGES = {
    "members_member_correct": ({"members.view_member", "members.add_adjustmentrequest"}, "member"),
    "members_member_purchase": ({"members.view_member", "members.add_purchase"}, "member"),
    "members_member_return": ({"members.view_member", "members.add_return"}, "member"),
    "members_member_profile": ({"members.view_member", "members.change_member"}, "member"),
    "members_member_birthday": ({"members.view_member", "members.change_member"}, "member"),
    "members_member_consent": ({"members.view_member", "members.change_member"}, "member"),
    "members_pointsentry_report": ({"members.view_programme"}, None),
    "members_member_card": ({"members.view_member", "members.change_member"}, "member"),
    "members_member_merge": ({"members.view_member", "members.add_mergerequest"}, "member"),
    "members_rulereplay_ask": ({"members.add_rulereplay"}, None),
    "members_pointslot_extend": ({"members.view_member", "members.change_pointslot"}, "member"),
    "members_pointsentry_reinstate": ({"members.view_member", "members.change_pointslot"}, "pointsentry"),
    "members_member_tier": ({"members.view_member", "members.add_tiergrant"}, "member"),
    "members_unclaimedpurchase_give": (
        {"members.view_unclaimedpurchase", "members.change_unclaimedpurchase"},
        "unclaimedpurchase",
    ),
    "members_purchase_fraud": ({"members.view_purchase", "members.add_fraudmark"}, "purchase"),
    "members_receiptclaim_picture": ({"members.view_receiptclaim"}, "receiptclaim"),
    "members_earningrule_try": ({"members.view_earningrule"}, None),
    "rewards_reward_stock": ({"rewards.change_reward"}, "reward"),
    "rewards_reward_codes": ({"rewards.change_reward"}, "reward"),
    "rewards_parcel_sent": ({"rewards.view_parcel", "rewards.change_parcel"}, None),
    "rewards_reward_import": ({"rewards.add_reward", "rewards.change_reward"}, None),
    "rewards_reward_export": ({"rewards.view_reward"}, "csv"),
    "rewards_reward_calendar": ({"rewards.view_reward"}, None),
    "feedback_survey_scores": ({"feedback.view_survey"}, "survey"),
}
BUTTONS = {
    "members_jobrun_run": {"members.add_jobrun"},
    "members_tierset_recalculate": {"members.add_jobrun"},
}
# Actions and the permission each needs; one that is not here fails the sweep.
ACTIONS = {
    ("adjustmentrequest", "approve"): "members.change_adjustmentrequest",
    ("adjustmentrequest", "refuse"): "members.change_adjustmentrequest",
    ("fraudmark", "approve"): "members.change_fraudmark",
    ("fraudmark", "refuse"): "members.change_fraudmark",
    ("mergerequest", "approve_merges"): "members.change_mergerequest",
    ("mergerequest", "refuse_merges"): "members.change_mergerequest",
    ("hold", "release"): "members.change_hold",
    ("receiptclaim", "approve"): "members.change_receiptclaim",
    ("receiptclaim", "refuse"): "members.change_receiptclaim",
    ("apikey", "revoke"): "members.change_apikey",
    ("outbox", "retry"): "members.change_outbox",
    ("tierset", "put_in_force"): "members.change_tierset",
    ("tierset", "cancel_plan"): "members.change_tierset",
    ("tierset", "copy"): "members.add_tierset",
    ("subscription", "cancel"): "members.change_subscription",
    ("subscription", "cancel_now"): "members.change_subscription",
    ("subscription", "pause"): "members.change_subscription",
    ("subscription", "resume"): "members.change_subscription",
    ("planpayment", "record_payment"): "members.change_planpayment",
    ("planpayment", "record_refund"): "members.change_planpayment",
    ("parcel", "list_addresses"): "rewards.change_parcel",
    ("parcel", "deliver"): "rewards.change_parcel",
    ("couponissue", "start"): "rewards.change_couponissue",
    ("couponissue", "drop"): "rewards.change_couponissue",
    ("couponissue", "try_again"): "rewards.change_couponissue",
    ("redemption", "mark_used"): "rewards.change_redemption",
    ("redemption", "undo_used"): "rewards.change_redemption",
    ("redemption", "cancel"): "rewards.change_redemption",
    ("referral", "let_through"): "campaigns.change_referral",
    ("referral", "cancel"): "campaigns.change_referral",
    ("survey", "publish"): "feedback.change_survey",
    ("survey", "stop"): "feedback.change_survey",
    ("survey", "start_next_wave"): "feedback.change_survey",
    ("survey", "make_new_version"): "feedback.add_survey",
}
OURS = "members"


def own_pages():
    """Return the names of all addresses of the admin beside Django's own."""
    django_pages = {"index", "login", "logout", "password_change", "password_change_done", "autocomplete", "jsi18n",
                    "view_on_site", "app_list", None}  # fmt: skip
    names = {
        pattern.name
        for part in admin.site.get_urls()
        for pattern in getattr(part, "url_patterns", [part])
        if not str(pattern.name).endswith(("_changelist", "_add", "_change", "_delete", "_history"))
    }
    return names - django_pages


def test_every_page_of_our_own_is_in_the_sweep():
    assert own_pages() == set(PAGES) | set(BUTTONS)


@pytest.mark.parametrize("role", ROLES)
def test_pages_of_members_open_exactly_where_the_matrix_allows(client, colleague, role, rf):
    rows = furnish()
    colleague(role)
    allowed = roles.matrix()[role]
    boss_request = rf.get("/")
    boss_request.user = factories.make_staff()
    for model, model_admin in admin.site._registry.items():
        app, name = model._meta.app_label, model._meta.model_name
        may_view = bool({f"{app}.view_{name}", f"{app}.change_{name}"} & allowed)
        may_add = f"{app}.add_{name}" in allowed and model_admin.has_add_permission(boss_request)
        listed = client.get(reverse(f"admin:{app}_{name}_changelist"), follow=True).status_code
        added = client.get(reverse(f"admin:{app}_{name}_add")).status_code
        assert listed == (200 if may_view else 403), (role, name, "list")
        assert added == (200 if may_add else 403), (role, name, "add")
        if app == OURS and name in rows:
            address = reverse(f"admin:{app}_{name}_change", args=[rows[name].pk])
            removed = reverse(f"admin:{app}_{name}_delete", args=[rows[name].pk])
            assert client.get(address).status_code == (200 if may_view else 403), (role, name, "row")
            assert client.get(removed).status_code == 403, (role, name, "delete")


@pytest.mark.parametrize("role", ROLES)
def test_our_own_pages_open_exactly_where_the_matrix_allows(client, colleague, role):
    rows = furnish() | {"reward": make_reward(), "survey": make_survey()}
    colleague(role)
    allowed = roles.matrix()[role]
    for name, (needs, row) in PAGES.items():
        argument = rows[row].pk if row in rows else row
        address = reverse(f"admin:{name}", args=[argument] if argument else [])
        assert client.get(address).status_code == (200 if needs <= allowed else 403), (role, name)
    for name, needs in BUTTONS.items():
        pressed = client.post(reverse(f"admin:{name}"), {"job": "recalculate-tiers"})
        assert pressed.status_code == (302 if needs <= allowed else 403), (role, name)


@pytest.mark.parametrize("role", ROLES)
def test_actions_are_offered_exactly_where_the_matrix_allows(colleague, role, rf):
    request = rf.get("/")
    request.user = colleague(role)
    allowed = roles.matrix()[role]
    for model, model_admin in admin.site._registry.items():
        offered = set(model_admin.get_actions(request))
        name = model._meta.model_name
        known = {action for (table, action) in ACTIONS if table == name}
        assert offered == {action for action in known if ACTIONS[name, action] in allowed}, (role, name)


def test_every_action_is_in_the_sweep(rf):
    request = rf.get("/")
    request.user = factories.make_staff()
    offered = {
        (model._meta.model_name, action)
        for model, model_admin in admin.site._registry.items()
        for action in model_admin.get_actions(request)
        if action != "delete_selected"
    }
    assert offered == set(ACTIONS)


def test_staff_without_a_role_see_nothing(client):
    rows = furnish()
    client.force_login(factories.make_user(is_staff=True))
    for model in admin.site._registry:
        name = f"{model._meta.app_label}_{model._meta.model_name}"
        assert client.get(reverse(f"admin:{name}_changelist")).status_code == 403, name
    assert client.get(reverse("admin:members_member_correct", args=[rows["member"].pk])).status_code == 403


def test_members_without_staff_rights_are_turned_away(client):
    client.force_login(factories.make_user())
    assert client.get(reverse("admin:members_member_changelist")).status_code == 302


def test_the_command_makes_the_groups_and_repeats_without_change():
    call_command("sync_roles", stdout=io.StringIO())
    first = {group.name: group.permissions.count() for group in Group.objects.all()}
    Group.objects.get(name="support").permissions.clear()
    call_command("sync_roles", stdout=io.StringIO())
    assert sorted(first) == ROLES
    assert {group.name: group.permissions.count() for group in Group.objects.all()} == first


def test_no_role_may_delete_anything_of_members():
    for role, allowed in roles.matrix().items():
        assert not {name for name in allowed if name.startswith("members.delete_")}, role


def test_a_wrong_name_in_the_matrix_is_refused(monkeypatch, tmp_path):
    wrong = tmp_path / "roles.toml"
    wrong.write_text('[support.members]\nview = ["membre"]\n')
    monkeypatch.setattr(roles, "MATRIX", wrong)
    with pytest.raises(roles.UnknownPermission, match="view_membre"):
        roles.sync_roles()


def test_those_who_may_not_see_persons_see_no_name_and_find_none(client, colleague):
    member = furnish()["member"]
    colleague("auditor")
    listed = client.get(reverse("admin:members_member_changelist"))
    page = client.get(reverse("admin:members_member_change", args=[member.pk]))
    found = client.get(reverse("admin:members_member_changelist"), {"q": "Ada"})
    assert b"Ada Example" not in listed.content + page.content
    assert b"ada@example.com" not in listed.content + page.content
    assert not found.context["cl"].result_list

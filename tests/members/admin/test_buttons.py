"""Each button calls one function of the domain and says in words what came of it."""

import re

import pytest
from django.contrib.admin.models import LogEntry
from django.urls import reverse

from members.events.models import Audit
from members.ledger.statements import spendable_points
from members.lib.clock import database_now
from members.models import (
    AdjustmentRequest,
    ApiKey,
    JobRun,
    Member,
    Outbox,
    PointsEntry,
    Purchase,
    Return,
    Tier,
    TierGrant,
)
from members.tiers.standing import current_standing
from tests import factories

pytestmark = pytest.mark.django_db

KEY = "a-key-for-one-time-use"


def press(client, button, member, **said):
    """Send a form of the member's page."""
    return client.post(reverse(f"admin:members_member_{button}", args=[member.pk]), said, follow=True)


def correct(client, member, points, **said):
    """Correct points with the second click."""
    sent = {"points": points, "previewed": points, "reason": "Lost card", "key": KEY, "confirm": "1"} | said
    return press(client, "correct", member, **sent)


def document(number="T-1", rows=(("TEA", "food", "1", "19.99"),), **said):
    """Return what the form of a purchase or return sends."""
    sent = {
        "number": number,
        "at": "2026-06-15T12:00",
        "currency": "GBP",
        "lines-TOTAL_FORMS": "6",
        "lines-INITIAL_FORMS": "0",
        "lines-MIN_NUM_FORMS": "1",
        "lines-MAX_NUM_FORMS": "6",
    }
    for place, row in enumerate(rows):
        sent |= {
            f"lines-{place}-{name}": value
            for name, value in zip(("sku", "category", "quantity", "amount"), row, strict=True)
        }
    return sent | said


def said(response):
    """Return what the page told the person."""
    return " ".join(str(message) for message in response.context["messages"])


def test_a_correction_shows_the_balance_before_it_counts(client, boss):
    member = factories.make_member(points=100)
    response = press(client, "correct", member, points=-30, reason="Counted twice", key=KEY)
    assert (response.context["before"], response.context["after"]) == (100, 70)
    assert spendable_points(member.pk, database_now()) == 100


def test_a_correction_is_one_entry_with_actor_and_reason_however_often_it_is_sent(client, boss):
    member = factories.make_member(points=100)
    for _ in range(2):
        correct(client, member, -30)
    entry = PointsEntry.objects.get(kind="ADJUST")
    assert (entry.points, entry.actor_id, entry.reason) == (-30, boss.pk, "Lost card")
    assert Audit.objects.filter(action="points.adjusted", actor=boss, reason="Lost card").count() == 1


def test_a_changed_amount_is_shown_again_before_it_counts(client, boss):
    member = factories.make_member(points=100)
    response = correct(client, member, 50, previewed=5)
    assert response.context["after"] == 150
    assert not PointsEntry.objects.filter(kind="ADJUST").exists()


def test_a_correction_needs_a_reason(client, boss):
    member = factories.make_member(points=100)
    assert correct(client, member, 5, reason="").status_code == 422
    assert not PointsEntry.objects.filter(kind="ADJUST").exists()


def test_more_than_there_is_cannot_be_taken(client, boss):
    member = factories.make_member(points=100)
    response = correct(client, member, -130)
    assert response.status_code == 422
    assert "30 are missing" in response.content.decode()


def test_nobody_corrects_their_own_points(client, boss):
    member = factories.make_member(points=100, user=boss)
    response = correct(client, member, 5)
    assert "Nobody corrects their own points" in response.content.decode()
    assert not PointsEntry.objects.filter(kind="ADJUST").exists()


def test_a_large_correction_waits_for_a_second_person(client, boss):
    member = factories.make_member()
    response = correct(client, member, 5000)
    assert "second person" in said(response)
    asked = AdjustmentRequest.objects.get()
    act(client, "adjustmentrequest", "approve", asked, confirm="1")
    assert not PointsEntry.objects.filter(kind="ADJUST").exists()
    client.force_login(factories.make_staff())
    shown = act(client, "adjustmentrequest", "approve", asked).content.decode()
    assert "5,000 points · Lost card" in shown
    assert not PointsEntry.objects.filter(kind="ADJUST").exists(), "It was asked, not answered."
    act(client, "adjustmentrequest", "approve", asked, confirm="1")
    assert PointsEntry.objects.get(kind="ADJUST").points == 5000


def test_refusing_asks_for_a_reason_and_posts_nothing(client, boss):
    member = factories.make_member()
    correct(client, member, 5000)
    asked = AdjustmentRequest.objects.get()
    client.force_login(factories.make_staff())
    assert b'name="reason"' in act(client, "adjustmentrequest", "refuse", asked).content
    act(client, "adjustmentrequest", "refuse", asked, reason="No receipt")
    asked.refresh_from_db()
    assert asked.state == "REFUSED"
    assert Audit.objects.filter(action="adjustment.refused", reason="No receipt").exists()
    assert not PointsEntry.objects.filter(kind="ADJUST").exists()


def act(client, model, action, row, **more):
    """Run an action on one row."""
    chosen = {"action": action, "_selected_action": [row.pk]}
    return client.post(reverse(f"admin:members_{model}_changelist"), chosen | more, follow=True)


def test_a_purchase_is_recorded_with_its_points_and_the_reason(client, boss):
    factories.make_rule()
    member = factories.make_member()
    rows = (("TEA", "food", "2", "19.99"), ("CUP", "", "1", "5.5"))
    response = press(client, "purchase", member, **document(rows=rows))
    purchase = Purchase.objects.get()
    assert (purchase.amount, purchase.origin, purchase.source, purchase.lines.count()) == (2549, "admin", "admin", 2)
    assert "25 points" in said(response)
    # Typed in the programme's zone: noon in London in June.
    assert purchase.purchased_at.isoformat() == "2026-06-15T11:00:00+00:00"


def test_a_purchase_sent_twice_counts_once(client, boss):
    factories.make_rule()
    member = factories.make_member()
    press(client, "purchase", member, **document())
    again = press(client, "purchase", member, **document())
    other = press(client, "purchase", member, **document(rows=(("TEA", "", "1", "5"),)))
    assert "recorded before" in said(again)
    assert "other content" in other.content.decode()
    assert Purchase.objects.count() == 1


@pytest.mark.parametrize(
    "wrong",
    [
        {"rows": ()},
        {"rows": (("TEA", "", "0", "5"),)},
        {"rows": (("TEA", "", "1", "-5"),)},
        {"rows": (("TEA", "", "1", "5.555"),)},
        {"rows": (("TEA", "", "1", "NaN"),)},
        {"number": "two\nlines"},
        {"currency": "pounds"},
        {"at": "2999-01-01T00:00"},
        {"at": "2026-02-30T00:00"},
        {"currency": "JPY", "rows": (("TEA", "", "1", "5.5"),)},
    ],
)
def test_a_wrong_purchase_is_refused_with_words(client, boss, wrong):
    member = factories.make_member()
    response = press(client, "purchase", member, **document(**wrong))
    assert response.status_code == 422
    assert "errorlist" in response.content.decode()
    assert not Purchase.objects.exists()


def test_a_return_takes_the_points_back_and_names_what_was_never_bought(client, boss):
    factories.make_rule()
    member = factories.make_member()
    press(client, "purchase", member, **document())
    rows = (("TEA", "", "1", "19.99"), ("HAT", "", "1", "3"))
    form = document("R-1", rows, at="2026-06-16T12:00", settlement="EXCHANGE")
    shown = press(client, "return", member, **form)
    assert (shown.context["preview"].points_taken, shown.context["preview"].balance_after) == (19, 0)
    assert not Return.objects.exists()
    digest = shown.context["form"]["previewed"].value()
    # What was changed after it was shown is shown anew.
    changed = press(client, "return", member, **form | {"at": "2026-06-17T12:00", "confirm": "1", "previewed": digest})
    assert changed.context["preview"] is not None
    response = press(client, "return", member, **form, confirm="1", previewed=digest)
    assert "19 points taken back" in said(response)
    assert "HAT" in said(response)
    assert Return.objects.get().origin == "admin"
    assert spendable_points(member.pk, database_now()) == 0


def test_a_purchase_is_recorded_with_brand_and_discount(client, boss):
    factories.make_rule(only_brands=["Elm"])
    member = factories.make_member()
    press(client, "purchase", member, **document() | {"lines-0-brand": "Elm", "lines-0-discount": "2.50"})
    line = Purchase.objects.get().lines.get()
    assert (line.brand, line.discount, line.tax) == ("Elm", 250, None)
    assert spendable_points(member.pk, database_now()) == 19


def two_purchases(client, member):
    """Record the same tea at two prices; return the earlier purchase, which no rule would choose for a return."""
    factories.make_rule()
    press(client, "purchase", member, **document())
    press(client, "purchase", member, **document("T-2", (("TEA", "", "1", "40"),), at="2026-06-16T12:00"))
    return Purchase.objects.get(number="T-1")


def book_return(client, member, **form):
    """Show what a return takes, then book it; return the preview and the answer."""
    shown = press(client, "return", member, **form)
    assert shown.context["preview"], shown.context["form"].errors
    digest = shown.context["form"]["previewed"].value()
    return shown.context["preview"], press(client, "return", member, **form, confirm="1", previewed=digest)


def test_a_return_may_name_the_purchase_it_is_about(client, boss):
    member = factories.make_member()
    named = two_purchases(client, member)
    form = document("R-1", at="2026-06-17T12:00", settlement="REFUND", purchase=str(named.pk))
    preview, _answer = book_return(client, member, **form)
    assert [(one.number, one.points) for one in preview.purchases] == [("T-1", 19)]
    assert Return.objects.get().lines.get().purchase_line.purchase == named


@pytest.mark.parametrize(
    ("said_kind", "taken"), [({"kind": "ALLOWANCE", "amount": "10.00"}, 10), ({"kind": "VOID"}, 19)]
)
def test_money_without_goods_or_a_whole_purchase_goes_back(client, boss, said_kind, taken):
    member = factories.make_member()
    named = two_purchases(client, member)
    form = document("R-1", (), at="2026-06-17T12:00", settlement="REFUND", purchase=str(named.pk), **said_kind)
    preview, answer = book_return(client, member, **form)
    assert preview.points_taken == taken
    assert f"{taken} points taken back" in said(answer)
    assert Return.objects.get().kind == said_kind["kind"]


@pytest.mark.parametrize(
    ("rows", "wrong", "field"),
    [
        ((), {}, "__all__"),
        ((), {"kind": "VOID"}, "purchase"),
        ((), {"kind": "ALLOWANCE", "purchase": "T-1"}, "amount"),
        ((("TEA", "", "1", "5"),), {"amount": "5.00"}, "amount"),
        ((("TEA", "", "1", "5"),), {"kind": "VOID", "purchase": "T-1"}, "kind"),
        ((("TEA", "", "1", "5"),), {"purchase": "T-1", "currency": "EUR"}, "__all__"),
        ((("TEA", "", "1", "5"),), {"purchase": "of another"}, "purchase"),
    ],
)
def test_a_return_that_cannot_be_meant_is_refused_and_keeps_what_was_typed(client, boss, rows, wrong, field):
    member = factories.make_member()
    named = two_purchases(client, member)
    chosen = {"T-1": str(named.pk), "of another": str(factories.buy(factories.make_member()).purchase_id)}
    wrong = wrong | {"purchase": chosen.get(wrong.get("purchase"), "")}
    response = press(client, "return", member, **document("R-1", rows, settlement="REFUND") | wrong)
    assert response.status_code == 422
    assert list(response.context["form"].errors) == [field]
    assert response.context["form"]["number"].value() == "R-1"
    assert not Return.objects.exists()


def test_a_member_is_enrolled_once_however_often_the_form_is_sent(client, boss):
    sent = {"name": "Ada Example", "email": "Ada@example.com", "phone": "", "language": "en", "key": KEY}
    for _ in range(2):
        response = client.post(reverse("admin:members_member_add"), sent, follow=True)
    member = Member.objects.get()
    assert (member.source, member.person.email) == ("staff", "ada@example.com")
    assert member.number in said(response)
    entries = LogEntry.objects.all()
    assert entries
    assert not any("Ada" in entry.object_repr + entry.change_message for entry in entries)


def test_an_address_that_a_member_has_is_not_enrolled_again(client, boss):
    member = factories.make_member(email="ada@example.com")
    sent = {"name": "Ada", "email": "ADA@example.com", "language": "en", "key": KEY}
    response = client.post(reverse("admin:members_member_add"), sent)
    assert member.number in response.content.decode()
    assert Member.objects.count() == 1


def test_the_profile_is_changed_without_the_name_in_the_log(client, boss):
    member = factories.make_member(name="Ada Example")
    press(client, "profile", member, name="Ada Sample", language="zh-hant", zone="Asia/Taipei")
    member.refresh_from_db()
    assert (member.person.name, member.language, member.zone) == ("Ada Sample", "zh-hant", "Asia/Taipei")
    entry = LogEntry.objects.get()
    assert "Sample" not in entry.object_repr + entry.change_message


def test_a_member_without_login_gets_an_address_and_number_by_which_to_claim(client, boss):
    member = factories.make_member()
    contact = {"email": "ada@example.com", "phone": "+886912345678"}
    press(client, "profile", member, name="", language="en", zone="", **contact)
    member.refresh_from_db()
    assert (member.person.email, member.person.phone) == ("ada@example.com", "+886912345678")


def test_the_address_of_a_member_with_a_login_is_not_asked_for(client, boss):
    member = factories.make_member(user=factories.make_user(), email="ada@example.com")
    press(client, "profile", member, name="", language="en", zone="", email="other@example.com", phone="")
    member.refresh_from_db()
    assert member.person.email == "ada@example.com"


def test_an_unknown_zone_is_refused(client, boss):
    member = factories.make_member()
    assert press(client, "profile", member, name="", language="en", zone="Mars/Base").status_code == 422


def test_a_birthday_is_changed_with_a_reason_only(client, boss):
    member = factories.make_member()
    assert press(client, "birthday", member, day=29, month=2, reason="").status_code == 422
    assert press(client, "birthday", member, day=31, month=2, reason="Passport").status_code == 422
    press(client, "birthday", member, day=29, month=2, reason="Passport")
    member.person.refresh_from_db()
    assert (member.person.birth_month, member.person.birth_day) == (2, 29)
    assert member.person.birthday_changes.get().reason == "Passport"


def test_an_api_key_is_shown_once_and_revoked_with_a_reason(client, boss):
    sent = {"name": "Till 1", "scopes": ["purchases:write"]}
    shown = client.post(reverse("admin:members_apikey_add"), sent).content.decode()
    key = ApiKey.objects.get()
    secret = re.search(rf"lp_{key.prefix}_[\w-]+", shown)
    assert secret
    opened = client.get(reverse("admin:members_apikey_change", args=[key.pk])).content.decode()
    assert secret.group() not in opened
    assert key.secret_hash not in opened
    assert b'name="reason"' in act(client, "apikey", "revoke", key).content
    act(client, "apikey", "revoke", key, reason="Till sold")
    key.refresh_from_db()
    assert key.revoked_at is not None
    assert Audit.objects.filter(action="api_key.revoked", actor=boss, reason="Till sold").exists()


def test_a_key_without_scope_is_refused(client, boss):
    assert client.post(reverse("admin:members_apikey_add"), {"name": "Till 1"}).status_code == 422


def test_a_job_starts_by_its_button(client, boss):
    response = client.post(reverse("admin:members_jobrun_run"), {"job": "recalculate-tiers"}, follow=True)
    run = JobRun.objects.get()
    assert (run.job, run.requested_by_id, response.status_code) == ("recalculate-tiers", boss.pk, 200)
    client.post(reverse("admin:members_tierset_recalculate"))
    assert JobRun.objects.count() == 2


def test_an_unknown_job_is_refused(client, boss):
    response = client.post(reverse("admin:members_jobrun_run"), {"job": "nonsense"}, follow=True)
    assert "no such job" in said(response)


def test_a_job_does_not_start_by_a_link(client, boss):
    assert client.get(reverse("admin:members_jobrun_run")).status_code == 405


def test_only_given_up_work_is_tried_again(client, boss):
    fields = {"kind": "mail", "due_at": factories.NOW, "created_at": factories.NOW, "attempts": 8}
    dead = Outbox.objects.create(state="DEAD", **fields)
    done = Outbox.objects.create(state="DONE", **fields)
    act(client, "outbox", "retry", dead)
    act(client, "outbox", "retry", done)
    dead.refresh_from_db()
    done.refresh_from_db()
    assert (dead.state, dead.attempts, done.state) == ("PENDING", 0, "DONE")


def test_what_a_member_said_is_noted_with_who_typed_it(client, boss):
    member = factories.make_member()
    assert press(client, "consent", member, channel="email", purpose="marketing", granted="").status_code == 422
    press(client, "consent", member, channel="email", purpose="marketing", granted="yes")
    statement = member.consents.get()
    assert (statement.granted, statement.source, statement.actor_id) == (True, "admin", boss.pk)


@pytest.mark.parametrize("button", ["purchase", "return"])
def test_nobody_records_documents_for_themselves(client, boss, button):
    factories.make_rule()
    member = factories.make_member(user=boss)
    assert press(client, button, member, **document()).status_code == 403
    assert not Purchase.objects.exists()


def give_tier(client, member, **said):
    """Give Gold to the end of 2099, or what else is said."""
    gold = Tier.objects.get(code="gold")
    sent = {"tier": gold.pk, "last_day": "2099-12-31", "reason": "Our neighbour", "key": KEY} | said
    return press(client, "tier", member, **sent)


def test_a_tier_is_given_until_a_day_and_ended_early(client, boss):
    factories.make_tiers()
    member = factories.make_member()
    response = give_tier(client, member)
    assert "Gold is given until the end of" in said(response)
    assert "Held by decision until" in response.content.decode()
    held = current_standing(member.pk)
    # The day is the last one: the tier ends at the midnight after it.
    assert (held.tier.code, held.why, held.granted_until.year) == ("gold", "MANUAL", 2100)
    assert Audit.objects.get(action="tier.granted").reason == "Our neighbour"
    listed = client.get(reverse("admin:members_member_tier", args=[member.pk])).content.decode()
    assert "Our neighbour" in listed
    press(client, "tier", member, end=f"staff:{KEY}")
    assert current_standing(member.pk).tier.code == "blue"
    assert "no such decision" in said(press(client, "tier", member, end="unknown"))


def test_a_tier_sent_twice_is_given_once_and_a_day_that_is_over_is_refused(client, boss):
    factories.make_tiers()
    member = factories.make_member()
    refused = give_tier(client, member, last_day="2020-01-01")
    assert "This day is over." in refused.content.decode()
    for _ in range(2):
        give_tier(client, member, last_day="")
    assert TierGrant.objects.get().until_at is None


def test_nobody_gives_a_tier_to_themselves(client, boss):
    factories.make_tiers()
    member = factories.make_member(user=boss)
    assert give_tier(client, member).status_code == 403

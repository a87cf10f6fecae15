"""Asking for a replay of rules in the back office."""

import pytest
from django.urls import reverse

from members.events.models import Audit
from members.jobs.schedule import run_due
from members.purchases.models import RuleReplay
from tests.factories import NOW, buy, make_member, make_rule

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _one_factor(settings):
    settings.STAFF_MFA_REQUIRED = False


def ask(client, rule, **fields):
    day = f"{NOW:%Y-%m-%d}"
    asked = {"rules": [rule.pk], "first_day": day, "last_day": day, "why": "Spring offer"} | fields
    return client.post(reverse("admin:members_rulereplay_ask"), asked, follow=True)


def test_staff_ask_and_read_the_report_in_sentences(admin_client):
    buy(make_member(), 1000)
    rule = make_rule(points=1234, name_en="Spring")
    assert "Not finished yet." in ask(admin_client, rule).content.decode()
    run_due()
    replay = RuleReplay.objects.get()
    shown = admin_client.get(reverse("admin:members_rulereplay_change", args=[replay.pk])).content.decode()
    assert "1 purchases of 1 members." in shown
    assert "Earned then: 0 points. By these rules: 12,340. Difference: 12,340." in shown
    assert Audit.objects.get(action="rules.replayed").reason == "Spring offer"


def test_days_in_the_wrong_order_are_refused(admin_client):
    page = ask(admin_client, make_rule(), last_day="2001-01-01").content.decode()
    assert "The last day lies before the first." in page
    assert not RuleReplay.objects.exists()

"""Settings of points as payment: what they mean at once, who changed them, what is refused."""

import pytest
from django.urls import reverse

from members.events.models import Audit
from members.models import PointsValue, Programme
from tests.factories import set_programme
from tests.members.admin.test_life_of_points import change_programme

pytestmark = pytest.mark.django_db


def page(client):
    return client.get(reverse("admin:members_programme_change", args=[Programme.current().pk])).content.decode()


def add_value(client, **changes):
    sent = {"currency": "GBP", "points": "100", "amount": "500", "is_active": "on", "why": "Launch"} | changes
    return client.post(reverse("admin:members_pointsvalue_add"), sent)


def test_the_value_of_points_is_set_with_a_reason_and_shown_in_the_settings(client, boss):
    assert "Paying with points is not offered." in page(client)
    assert change_programme(client, pays_with_points="on", pay_minimum="250").status_code == 302
    assert "Points cannot pay in this currency." in page(client)
    assert add_value(client).status_code == 302
    assert "300 points = 15.00 GBP, at most half of a purchase." in page(client)
    row = Audit.objects.get(action="pointsvalue.added")
    assert (row.actor_id, row.reason) == (boss.pk, "Launch")


def test_the_list_shows_the_amount_as_people_write_it(client, boss):
    PointsValue.objects.create(currency="TWD", points=1, amount=2)
    assert "2 TWD" in client.get(reverse("admin:members_pointsvalue_changelist")).content.decode()


@pytest.mark.parametrize(
    ("changes", "field"),
    [({"currency": "gbp"}, "currency"), ({"points": "0"}, "points"), ({"amount": "0"}, "amount"), ({"why": ""}, "why")],
)
def test_a_wrong_value_is_refused_at_its_field(client, boss, changes, field):
    assert field in add_value(client, **changes).context["adminform"].form.errors
    assert not PointsValue.objects.exists()


@pytest.mark.parametrize(
    ("changes", "field"),
    [({"pay_share": "0"}, "pay_share"), ({"pay_share": "101"}, "pay_share"), ({"pay_minimum": "0"}, "pay_minimum")],
)
def test_a_wrong_setting_is_refused_at_its_field(client, boss, changes, field):
    assert list(change_programme(client, **changes).context["adminform"].form.errors) == [field]


def test_only_who_may_change_the_programme_sets_values(client, colleague):
    set_programme(pays_with_points=True)
    colleague("support")
    assert add_value(client).status_code == 403
    colleague("admin")
    assert add_value(client).status_code == 302

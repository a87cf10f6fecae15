"""What surrounds every request: headers, log lines, the health page, the door of the staff."""

import json
import logging
from datetime import timedelta

import pytest
from django.test import RequestFactory
from django.urls import ResolverMatch
from django.utils import timezone

from config.health import FRESH
from config.logs import JsonLines, RequestId
from members.accounts.models import User
from members.jobs.models import Heartbeat


def test_every_page_forbids_scripts_from_elsewhere(client, db):
    policy = client.get("/accounts/login/").headers["Content-Security-Policy"]
    assert "script-src 'self';" in policy
    assert "style-src 'self';" in policy
    assert "object-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy


def test_every_answer_names_its_request(client, db):
    first, second = client.get("/healthz"), client.get("/healthz")
    assert len(first.headers["X-Request-ID"]) == 16
    assert first.headers["X-Request-ID"] != second.headers["X-Request-ID"]


def beat(name: str, age: timedelta) -> None:
    Heartbeat.objects.update_or_create(name=name, defaults={"beaten_at": timezone.now() - age})


def test_health_is_ok_while_worker_and_scheduler_beat(client, db):
    beat("worker", timedelta(seconds=5))
    beat("scheduler", timedelta(seconds=5))
    answer = client.get("/healthz")
    assert answer.status_code == 200
    assert answer.json() == {"status": "ok", "database": "ok", "worker": "ok", "scheduler": "ok"}
    assert answer.headers["Cache-Control"] == "no-store"


def test_health_is_refused_when_a_heartbeat_is_late_or_missing(client, db):
    beat("worker", FRESH + timedelta(seconds=1))
    answer = client.get("/healthz")
    assert answer.status_code == 503
    assert answer.json() == {"status": "unwell", "database": "ok", "worker": "late", "scheduler": "missing"}


def test_pages_of_somebody_logged_in_are_never_stored(client, db):
    client.force_login(User.objects.create_user("ann@example.com"))
    cache = client.get("/accounts/email/").headers["Cache-Control"]
    assert "no-store" in cache
    assert "private" in cache


def test_the_admin_has_no_login_page_of_its_own(client, db):
    answer = client.get("/admin/login/?next=/admin/members/")
    assert answer.status_code == 302
    assert answer.headers["Location"] == "/accounts/login/?next=%2Fadmin%2Fmembers%2F"


@pytest.fixture
def staff(db):
    return User.objects.create_user("ada@example.com", is_staff=True, is_superuser=True)


def test_staff_without_a_second_factor_are_led_to_enrol_one(client, staff, settings):
    settings.STAFF_MFA_REQUIRED = True
    client.force_login(staff)
    answer = client.get("/admin/")
    assert (answer.status_code, answer.headers["Location"]) == (302, "/accounts/2fa/")


def test_the_demonstration_lets_staff_in_without_a_second_factor(client, staff, settings):
    settings.STAFF_MFA_REQUIRED = False
    client.force_login(staff)
    assert client.get("/admin/").status_code == 200


def test_the_log_line_of_a_request_has_no_personal_data(client, db, caplog):
    user = User.objects.create_user("ann@example.com")
    client.force_login(user)
    with caplog.at_level(logging.INFO, "loyalty.request"):
        client.get("/accounts/email/?search=ann@example.com", headers={"user-agent": "ann@example.com"})
    record = caplog.records[-1]
    line = json.loads(JsonLines().format(record))
    assert "ann@example.com" not in JsonLines().format(record)
    assert (line["path"], line["status"], line["user"]) == ("/accounts/email/", 200, user.pk)


def test_secrets_in_a_path_are_not_logged():
    request = RequestFactory().get("/s/very-secret/")
    request.resolver_match = ResolverMatch(lambda request: None, (), {}, route="s/<token>/")
    record = logging.makeLogRecord(
        {"name": "django.request", "msg": "Bad: %s", "args": (request.path,), "request": request}
    )
    RequestId().filter(record)
    line = JsonLines().format(record)
    assert "very-secret" not in line
    assert json.loads(line)["path"] == "/s/<token>/"


def test_a_line_break_in_a_log_message_stays_in_its_line():
    record = logging.makeLogRecord({"msg": "first\nsecond"})
    assert "\n" not in JsonLines().format(record)

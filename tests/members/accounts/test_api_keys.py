"""Keys of machines."""

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest

from members.accounts import api_keys
from members.accounts.api_keys import (
    REMEMBERED_SECONDS,
    InvalidKey,
    UnknownScope,
    authenticate,
    forget_remembered,
    issue_key,
    revoke_key,
)
from members.accounts.models import ApiKey
from members.events.models import Audit

AT = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)

_BEGAN = 1000.0

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def still_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    pass_seconds(monkeypatch, 0)


def issue(**change: object) -> tuple[ApiKey, str]:
    facts = {"name": "till", "scopes": ["members:read"], "created_by_id": None, "at": AT} | change
    return issue_key(**facts)


def test_a_key_opens_and_its_secret_is_stored_nowhere():
    key, text = issue()

    assert authenticate(text, at=AT) == key
    mark, prefix, secret = text.split("_", 2)
    assert (mark, prefix, len(prefix), len(secret)) == ("lp", key.prefix, 8, 43)
    assert secret not in str(ApiKey.objects.values().get())


def test_a_secret_with_underscores_opens_too(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("secrets.token_urlsafe", lambda _bytes: "_" * 43)

    _key, text = issue()

    assert authenticate(text, at=AT).name == "till"


@pytest.mark.parametrize(
    "change",
    [
        lambda t: "",
        lambda t: t[:-1],
        lambda t: t + "x",
        lambda t: "xx" + t[2:],
        lambda t: t.upper(),
        lambda t: "lp_aaaaaaaa_" + t[12:],
        lambda t: t + "\x00",
        lambda t: t * 50,
        lambda t: "lp__",
        lambda t: "é",
        lambda t: "\ud800",
    ],
)
def test_no_other_text_opens(change):
    _key, text = issue()
    authenticate(text, at=AT)

    with pytest.raises(InvalidKey):
        authenticate(change(text), at=AT)


def test_an_expired_key_opens_no_more():
    _key, text = issue(expires_at=AT + timedelta(days=1))

    authenticate(text, at=AT)
    with pytest.raises(InvalidKey):
        authenticate(text, at=AT + timedelta(days=1))


def test_a_revoked_key_opens_no_more_and_staff_see_who_did_it():
    key, text = issue()

    revoke_key(key_id=key.pk, actor_id=None, at=AT, reason="lost")
    revoke_key(key_id=key.pk, actor_id=None, at=AT + timedelta(days=1), reason="again")

    with pytest.raises(InvalidKey):
        authenticate(text, at=AT)
    key.refresh_from_db()
    assert key.revoked_at == AT
    assert list(Audit.objects.order_by("id").values_list("action", "reason")) == [
        ("api_key.issued", "till"),
        ("api_key.revoked", "lost"),
    ]


@pytest.mark.parametrize("scopes", [[], ["everything"], ["members:read", "x"]])
def test_an_unknown_scope_is_refused(scopes: list[str]):
    with pytest.raises(UnknownScope):
        issue(scopes=scopes)


def test_a_key_that_opened_is_not_read_again_for_a_few_seconds(django_assert_num_queries, monkeypatch):
    key, text = issue()
    authenticate(text, at=AT)

    with django_assert_num_queries(0):
        assert authenticate(text, at=AT) == key
    pass_seconds(monkeypatch, REMEMBERED_SECONDS)
    with django_assert_num_queries(1):
        assert authenticate(text, at=AT) == key


def test_a_key_changed_by_another_process_is_known_after_a_few_seconds(monkeypatch: pytest.MonkeyPatch):
    key, text = issue()
    authenticate(text, at=AT)
    ApiKey.objects.filter(pk=key.pk).update(scopes=["points:hold"])

    assert authenticate(text, at=AT).scopes == ["members:read"]
    pass_seconds(monkeypatch, REMEMBERED_SECONDS)
    assert authenticate(text, at=AT).scopes == ["points:hold"]

    ApiKey.objects.filter(pk=key.pk).update(revoked_at=AT)
    pass_seconds(monkeypatch, 2 * REMEMBERED_SECONDS)
    with pytest.raises(InvalidKey):
        authenticate(text, at=AT)


def test_use_does_not_prolong_how_long_a_key_is_remembered(monkeypatch: pytest.MonkeyPatch):
    key, text = issue()
    authenticate(text, at=AT)
    ApiKey.objects.filter(pk=key.pk).update(revoked_at=AT)

    pass_seconds(monkeypatch, REMEMBERED_SECONDS - 1)
    authenticate(text, at=AT)
    pass_seconds(monkeypatch, REMEMBERED_SECONDS)
    with pytest.raises(InvalidKey):
        authenticate(text, at=AT)


def pass_seconds(monkeypatch: pytest.MonkeyPatch, seconds: float) -> None:
    """Let so much time have passed since the test began."""
    monkeypatch.setattr(api_keys, "time", SimpleNamespace(monotonic=lambda: _BEGAN + seconds))


def test_the_last_use_is_noted_to_the_minute(django_assert_num_queries):
    key, text = issue()

    authenticate(text, at=AT)
    forget_remembered()
    with django_assert_num_queries(1):
        authenticate(text, at=AT + timedelta(seconds=59))
    with django_assert_num_queries(1):
        authenticate(text, at=AT + timedelta(seconds=61))
        authenticate(text, at=AT + timedelta(seconds=62))

    key.refresh_from_db()
    assert key.last_used_at == AT + timedelta(seconds=61)

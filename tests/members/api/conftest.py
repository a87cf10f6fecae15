"""A till with a key, a member and a purchase to report."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from django.test import Client

from members.accounts import api_keys
from members.accounts.enrolment import enrol_member
from members.accounts.models import Member, Store
from members.earning import evaluation
from members.earning.models import EarningRule

AT = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)

Post = Callable[..., Any]


@pytest.fixture
def member(db: None) -> Member:
    """Return a member known at the till, of a programme that gives 1 point per pound."""
    EarningRule.objects.create(name_en="A point per pound", points=1, per_amount=100)
    evaluation.forget_compiled()
    Store.objects.create(code="harbour", name="Harbour")
    return enrol_member(source="pos-1", joined_at=AT, identity="C-7", name="Ann Ash")


@pytest.fixture
def key(db: None) -> str:
    """Return the text of a key that may do everything."""
    return api_keys.issue_key(name="till", scopes=api_keys.SCOPES, created_by_id=None, at=AT)[1]


@pytest.fixture
def purchase(member: Member) -> dict[str, Any]:
    """Return the body of a purchase of 25.50."""
    return {
        "source": "pos-1",
        "number": "2026-000123",
        "store": "harbour",
        "member": member.number,
        "purchased_at": "2026-03-01T12:30:00Z",
        "currency": "GBP",
        "lines": [{"sku": "22423", "category": "kitchen", "quantity": 2, "amount": 2550}],
    }


@pytest.fixture
def post(key: str) -> Post:
    """Return a function that posts a body (or bytes as they are) to the purchases endpoint."""

    def send(body: Any, *, path: str = "/api/v1/purchases", **headers: str) -> Any:
        content = body if isinstance(body, bytes) else json.dumps(body)
        headers = {
            "Authorization": f"Bearer {key}",
            **{name.replace("_", "-"): text for name, text in headers.items()},
        }
        return Client(raise_request_exception=False).post(
            path, content, content_type="application/json", headers=headers
        )

    return send

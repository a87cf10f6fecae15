"""POST /api/v1/purchases/events: what became of a purchase."""

from collections.abc import Callable
from typing import Any

from members.events.models import Event

Post = Callable[..., Any]

PATH = "/api/v1/purchases/events"


def test_an_event_is_told_once(post: Post, purchase: dict[str, Any]):
    recorded = post(purchase).json()
    body = {"source": "pos-1", "number": "2026-000123", "kind": "purchase.delivered", "at": "2026-03-04T09:00:00Z"}
    first, second = post(body, path=PATH), post(body, path=PATH)
    assert (first.status_code, second.status_code) == (201, 200)
    assert first.json() == second.json() == {"id": recorded["id"]}
    assert Event.objects.get(kind="purchase.delivered").occurred_at.isoformat() == "2026-03-04T09:00:00+00:00"


def test_what_cannot_be_told_is_refused_with_its_place(post: Post, purchase: dict[str, Any]):
    post(purchase)
    body = {"source": "pos-1", "number": "2026-000123", "kind": "purchase.delivered"}
    wrong = {
        "/number": body | {"number": "none"},
        "/kind": body | {"kind": "purchase.recorded"},
        "/at": body | {"at": "2999-01-01T00:00:00Z"},
    }
    for pointer, told in wrong.items():
        answer = post(told, path=PATH)
        assert answer.status_code == 422, answer.content
        assert answer.json()["errors"][0]["pointer"] == pointer
    assert post(body | {"kind": "points.granted"}, path=PATH).status_code == 422

"""Same key, same answer."""

import threading
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import connection

from members.api.idempotency import Answer, answer_once
from members.api.problems import Problem
from members.jobs.models import IdempotencyKey
from members.purchases.models import Purchase

Post = Callable[..., Any]

AT = datetime(2026, 3, 1, tzinfo=UTC)


def test_a_key_repeats_the_stored_answer(post: Post, purchase: dict[str, Any]):
    first, second = post(purchase, Idempotency_Key="k-1"), post(purchase, Idempotency_Key="k-1")

    assert (first.status_code, second.status_code) == (201, 201)
    assert first.json() == second.json()
    assert "Idempotency-Replayed" not in first
    assert second["Idempotency-Replayed"] == "true"
    assert Purchase.objects.count() == 1


def test_a_key_with_another_body_is_refused(post: Post, purchase: dict[str, Any]):
    post(purchase, Idempotency_Key="k-1")

    response = post(purchase | {"number": "other"}, Idempotency_Key="k-1")

    assert (response.status_code, response.json()["code"]) == (422, "key_reused")
    assert Purchase.objects.count() == 1


def test_another_key_falls_back_to_the_document_number(post: Post, purchase: dict[str, Any]):
    post(purchase, Idempotency_Key="k-1")

    assert post(purchase, Idempotency_Key="k-2").status_code == 200


@pytest.mark.parametrize("unusable", ["", "x" * 256, "a b", "é"])
def test_an_unusable_key_is_a_bad_request(post: Post, purchase: dict[str, Any], unusable: str):
    assert post(purchase, Idempotency_Key=unusable).status_code == 400
    assert Purchase.objects.count() == 0


def test_a_refused_request_leaves_its_key_free(post: Post, purchase: dict[str, Any]):
    assert post(purchase | {"member": "1234567890"}, Idempotency_Key="k-1").status_code == 422
    assert not IdempotencyKey.objects.exists()

    assert post(purchase, Idempotency_Key="k-1").status_code == 201


def test_two_callers_may_use_the_same_key(db: None):
    answers = [
        answer_once(principal=who, key="k", fingerprint=who, at=AT, produce=lambda: Answer(201, {"ok": True}))
        for who in ("a", "b")
    ]

    assert [answer.replayed for answer in answers] == [False, False]


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_a_key_whose_request_still_runs_is_a_conflict_to_repeat_later():
    inside, done = threading.Event(), threading.Event()

    def slow() -> Answer:
        inside.set()
        done.wait(20)
        return Answer(201, {})

    def run() -> None:
        answer_once(principal="p", key="k", fingerprint="f", at=AT, produce=slow)
        connection.close()

    thread = threading.Thread(target=run)
    thread.start()
    inside.wait(5)
    with pytest.raises(Problem) as caught:
        answer_once(principal="p", key="k", fingerprint="f", at=AT, produce=lambda: Answer(500, {}))
    done.set()
    thread.join()

    assert caught.value.status_code == 409
    assert caught.value.headers == {"Retry-After": "3"}
    again = answer_once(principal="p", key="k", fingerprint="f", at=AT, produce=lambda: Answer(500, {}))
    assert (again.status, again.replayed) == (201, True)

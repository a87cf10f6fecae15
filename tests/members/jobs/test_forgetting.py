"""Stored answers are kept thirty days."""

from datetime import UTC, datetime, timedelta

import pytest

from members.jobs.forgetting import forget_answers
from members.jobs.models import IdempotencyKey

AT = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.mark.django_db
def test_an_answer_is_forgotten_after_thirty_days():
    for days in (0, 29, 31):
        IdempotencyKey.objects.create(
            principal="p", key=str(days), fingerprint="f", created_at=AT - timedelta(days=days)
        )

    assert forget_answers(at=AT) == 1
    assert set(IdempotencyKey.objects.values_list("key", flat=True)) == {"0", "29"}

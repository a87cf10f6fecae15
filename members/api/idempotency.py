"""Same key, same answer: the key, the effect and the stored answer commit together or not at all."""

import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import Any

from django.db import IntegrityError, OperationalError, transaction
from django.utils.translation import gettext as _
from rest_framework.request import Request

from members.api.problems import Problem
from members.jobs.models import IdempotencyKey
from members.lib.transactions import may_retry, retried

HEADER = "Idempotency-Key"
_PRINTABLE = re.compile(r"[\x21-\x7e]{1,255}")
_RETRY_SECONDS = "3"


@dataclass(frozen=True)
class Answer:
    """Status and body; `replayed` when it was stored by an earlier request."""

    status: int
    body: dict[str, Any]
    replayed: bool = False


def key_of(request: Request) -> str:
    """Return the caller's key, empty when none is sent; raises Problem 400 for an unusable one."""
    key = request.headers.get(HEADER)
    if key is None:
        return ""
    if not _PRINTABLE.fullmatch(key):
        raise Problem(
            HTTPStatus.BAD_REQUEST,
            "bad_idempotency_key",
            _("An Idempotency-Key has 1 to 255 printable characters."),
        )
    return key


def required_key_of(request: Request) -> str:
    """Return the caller's key; raises Problem 400 when there is none or it is unusable."""
    key = key_of(request)
    if not key:
        raise Problem(
            HTTPStatus.BAD_REQUEST,
            "idempotency_key_missing",
            _("This request needs an Idempotency-Key, so that a repeat changes nothing."),
        )
    return key


def fingerprint(*parts: bytes) -> str:
    """Return a digest of what makes two requests the same."""
    digest = hashlib.sha256()
    for part in parts:
        digest.update(len(part).to_bytes(8, "big") + part)
    return digest.hexdigest()


@retried
def answer_once(*, principal: str, key: str, fingerprint: str, at: datetime, produce: Callable[[], Answer]) -> Answer:
    """Return what `produce` returns, once per (principal, key); a repeat returns the stored answer.

    An exception of `produce` leaves no trace of the key, so that the request may be repeated. Raises Problem
    422 when the key was used for another request, 409 while the first request with it is still running.
    """
    with transaction.atomic():
        stored = _reserve(principal, key, fingerprint, at)
        if stored is not None:
            return _replay(stored, fingerprint)
        answer = produce()
        IdempotencyKey.objects.filter(principal=principal, key=key).update(status=answer.status, body=answer.body)
        return answer


def _reserve(principal: str, key: str, fingerprint: str, at: datetime) -> IdempotencyKey | None:
    """Insert the key, or return the row that has it; the insert waits for the end of a running request."""
    try:
        with transaction.atomic():
            IdempotencyKey.objects.create(principal=principal, key=key, fingerprint=fingerprint, created_at=at)
    except IntegrityError:
        return IdempotencyKey.objects.get(principal=principal, key=key)
    except OperationalError as problem:
        if not may_retry(problem):
            raise
        raise Problem(
            HTTPStatus.CONFLICT,
            "still_running",
            _("The first request with this key is still running."),
            headers={"Retry-After": _RETRY_SECONDS},
        ) from problem
    return None


def _replay(stored: IdempotencyKey, fingerprint: str) -> Answer:
    if stored.fingerprint != fingerprint:
        raise Problem(
            HTTPStatus.UNPROCESSABLE_ENTITY,
            "key_reused",
            _("This Idempotency-Key was used for another request."),
        )
    return Answer(status=stored.status or HTTPStatus.OK, body=stored.body or {}, replayed=True)

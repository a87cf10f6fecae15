"""Every error of the API is a problem document (RFC 9457) with a stable code, Django's own included."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponseBase, JsonResponse
from django.utils.translation import gettext as _
from django.views import defaults
from rest_framework import exceptions
from rest_framework.response import Response

from members.ledger.posting import AccountUnderReview
from members.lib.transactions import Busy

CONTENT_TYPE = "application/problem+json"
_API = "/api/"
_RETRY_SECONDS = "2"


@dataclass(frozen=True)
class Fault:
    """What is wrong at one place of the body; `pointer` is a JSON pointer (RFC 6901)."""

    pointer: str
    code: str
    detail: str


class Problem(exceptions.APIException):
    """An error that a view raises on purpose."""

    def __init__(
        self,
        status: HTTPStatus,
        code: str,
        detail: str,
        *,
        faults: Sequence[Fault] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail, code)
        self.status_code = status
        self.code = code
        self.faults = faults
        self.headers = dict(headers or {})


def invalid(pointer: str, code: str, detail: str) -> Problem:
    """Return the problem of a body that is understood but wrong at one place."""
    return Problem(
        HTTPStatus.UNPROCESSABLE_ENTITY,
        "invalid",
        _("The content is not valid."),
        faults=[Fault(pointer, code, detail)],
    )


def lost_card() -> Problem:
    """Return the problem of a number whose card was reported lost; it tells nothing about the member."""
    return Problem(
        HTTPStatus.UNPROCESSABLE_ENTITY,
        "lost_card",
        _("This card was reported lost. Please ask for the new one."),
    )


def handle(error: Exception, context: dict[str, Any]) -> Response | None:
    """Translate an exception of a view; None leaves an unforeseen one to Django's handler for 500."""
    problem = _as_problem(error)
    if problem is None:
        return None
    body = _document(HTTPStatus(problem.status_code), problem.code, str(problem.detail), problem.faults)
    return Response(body, status=problem.status_code, headers=problem.headers, content_type=CONTENT_TYPE)


def _as_problem(error: Exception) -> Problem | None:
    if isinstance(error, Problem):
        return error
    if isinstance(error, Http404):
        return Problem(HTTPStatus.NOT_FOUND, "not_found", _("There is nothing here."))
    if isinstance(error, PermissionDenied):
        return Problem(HTTPStatus.FORBIDDEN, "permission_denied", _("This is not allowed."))
    if isinstance(error, Busy | AccountUnderReview):
        return _from_domain(error)
    if isinstance(error, exceptions.APIException):
        return _from_rest_framework(error)
    return None


def _from_domain(error: Busy | AccountUnderReview) -> Problem:
    if isinstance(error, AccountUnderReview):
        text = _("The points of this member are being checked. Try again later.")
        return Problem(HTTPStatus.CONFLICT, "account_under_review", text)
    return Problem(
        HTTPStatus.SERVICE_UNAVAILABLE,
        "busy",
        _("Too much is going on just now. Repeat the same request soon."),
        headers={"Retry-After": _RETRY_SECONDS},
    )


def _from_rest_framework(error: exceptions.APIException) -> Problem:
    headers: dict[str, str] = {}
    challenge = getattr(error, "auth_header", None)
    if challenge:
        headers["WWW-Authenticate"] = challenge
    wait = getattr(error, "wait", None)
    if wait is not None:
        headers["Retry-After"] = str(max(1, round(wait)))
    codes = error.get_codes()
    code = codes if isinstance(codes, str) else "invalid"
    return Problem(HTTPStatus(error.status_code), code, str(error.detail), headers=headers)


def _document(status: HTTPStatus, code: str, detail: str, faults: Sequence[Fault] = ()) -> dict[str, Any]:
    body: dict[str, Any] = {
        "type": f"urn:loyalty:problem:{code}",
        "title": status.phrase,
        "status": int(status),
        "detail": detail,
        "code": code,
    }
    if faults:
        body["errors"] = [{"pointer": f.pointer, "code": f.code, "detail": f.detail} for f in faults]
    return body


def _answer(status: HTTPStatus, code: str, detail: str) -> JsonResponse:
    return JsonResponse(_document(status, code, detail), status=status, content_type=CONTENT_TYPE)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponseBase:
    """Answer 400 for requests that Django itself refuses."""
    if request.path.startswith(_API):
        return _answer(HTTPStatus.BAD_REQUEST, "bad_request", _("The request cannot be understood."))
    return defaults.bad_request(request, exception)


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponseBase:
    """Answer 403."""
    if request.path.startswith(_API):
        return _answer(HTTPStatus.FORBIDDEN, "permission_denied", _("This is not allowed."))
    return defaults.permission_denied(request, exception)


def page_not_found(request: HttpRequest, exception: Exception) -> HttpResponseBase:
    """Answer 404."""
    if request.path.startswith(_API):
        return _answer(HTTPStatus.NOT_FOUND, "not_found", _("There is nothing here."))
    return defaults.page_not_found(request, exception)


def server_error(request: HttpRequest) -> HttpResponseBase:
    """Answer 500 without a word about the cause."""
    if request.path.startswith(_API):
        return _answer(HTTPStatus.INTERNAL_SERVER_ERROR, "server_error", _("Something went wrong on our side."))
    return defaults.server_error(request)

"""Around every request: its number and log line, security headers, the second factor of staff."""

import logging
import secrets
import time
from collections.abc import Callable

from allauth.mfa.utils import is_mfa_enabled
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.cache import patch_cache_control

from config.logs import request_id, safe_path

Handler = Callable[[HttpRequest], HttpResponse]

logger = logging.getLogger("loyalty.request")


class Around:
    """Keep the next handler; the classes below wrap it."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response


class RequestRecord(Around):
    """Give each request a random number, say it in the answer, and log one line without personal data."""

    def __call__(self, request: HttpRequest) -> HttpResponse:
        number = secrets.token_hex(8)
        token = request_id.set(number)
        started = time.perf_counter()
        try:
            response = self.get_response(request)
            response["X-Request-ID"] = number
            log_request(request, response, started)
        finally:
            request_id.reset(token)
        return response


class ContentSecurityPolicy(Around):
    """Send the policy of SECURE_CSP with every answer that has none."""

    def __init__(self, get_response: Handler) -> None:
        super().__init__(get_response)
        policy: dict[str, list[str]] = settings.SECURE_CSP
        self.policy = "; ".join(f"{name} {' '.join(sources)}" for name, sources in policy.items())

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        response.headers.setdefault("Content-Security-Policy", self.policy)
        return response


class PrivatePages(Around):
    """Forbid any copy of a page made for a person who is logged in."""

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if request.user.is_authenticated:
            patch_cache_control(response, no_store=True, private=True)
        return response


class StaffSecondFactor(Around):
    """Lead staff without a second factor from the admin and the till to the page where they enrol one."""

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if settings.STAFF_MFA_REQUIRED and request.path.startswith(("/admin/", "/till/")):
            user = request.user
            if user.is_authenticated and user.is_staff and not is_mfa_enabled(user):
                return redirect("mfa_index")
        return self.get_response(request)


def log_request(request: HttpRequest, response: HttpResponse, started: float) -> None:
    """Log method, pattern of the path, status, milliseconds and the number of the user."""
    user = getattr(request, "user", None)
    logger.info(
        "request",
        extra={
            "method": request.method,
            "path": safe_path(request),
            "status": response.status_code,
            "ms": round((time.perf_counter() - started) * 1000, 1),
            "user": user.pk if user is not None else None,
        },
    )

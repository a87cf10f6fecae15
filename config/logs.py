"""Log records as JSON lines that carry no personal data."""

import json
import logging
from contextvars import ContextVar
from datetime import UTC, datetime

from django.http import HttpRequest

request_id: ContextVar[str] = ContextVar("request_id", default="")

ERROR_LENGTH = 3000
HEALTH_PAGE = "/healthz"
FIELDS = ("method", "path", "status", "ms", "user", "job", "task", "count")


class RequestId(logging.Filter):
    """Add the number of the request, and take the address out of Django's own records."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Keep every record but those of a health page that says `not yet`: whoever asks reads it there."""
        record.request_id = request_id.get()
        request = getattr(record, "request", None)
        if record.name == "django.request" and isinstance(request, HttpRequest):
            record.msg, record.args = "request failed", ()
            path = safe_path(request)
            record.path = path
            return path != HEALTH_PAGE
        return True


class JsonLines(logging.Formatter):
    """Write one JSON object in one line: no body, no query, no address, no secret is ever a field."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line; only the fields on the list are taken from the record."""
        line: dict[str, object] = {
            "at": datetime.fromtimestamp(record.created, tz=UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if getattr(record, "request_id", ""):
            line["request"] = record.request_id  # type: ignore[attr-defined]
        line |= {name: value for name in FIELDS if (value := getattr(record, name, None)) is not None}
        if record.exc_info:
            line["error"] = self.formatException(record.exc_info)[-ERROR_LENGTH:]
        return json.dumps(line, ensure_ascii=False, default=str)


def safe_path(request: HttpRequest) -> str:
    """Return the pattern that the address matched: personal links carry secrets in their path."""
    match = request.resolver_match
    return f"/{match.route}" if match is not None else "(no such page)"

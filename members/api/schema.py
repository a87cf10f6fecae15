"""Pieces of the OpenAPI schema that are made from the bodies themselves."""

from collections.abc import Mapping
from typing import Any

import msgspec
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.utils import OpenApiResponse

from members.api.problems import CONTENT_TYPE

_TITLES = {
    400: "Not JSON, or an unusable header.",
    401: "No key, or one that is not valid.",
    403: "The key lacks the scope.",
    404: "There is nothing here.",
    409: "In conflict with what is recorded.",
    413: "The body is too large.",
    415: "The body is not application/json.",
    422: "The content is not valid.",
    429: "Too many requests.",
    503: "Busy; repeat the same request.",
}
_FAULT = {
    "type": "object",
    "required": ["pointer", "code", "detail"],
    "properties": {name: {"type": "string"} for name in ("pointer", "code", "detail")},
}
REFUSED: dict[str, Any] = {
    "type": "string",
    "enum": ["", "company", "too_old", "before_joining"],
    "description": "Why the purchase earns nothing whatever the rules say; empty otherwise.",
}
# What became of one purchase of a batch; `errors` where it was refused, the rest where it was not.
BATCH_RESULT = {
    "type": "object",
    "required": ["status"],
    "properties": {
        "status": {"type": "string", "enum": ["recorded", "repeated", "kept", "differs", "error"]},
        "id": {"type": "string"},
        "source": {"type": "string"},
        "number": {"type": "string"},
        "member": {"type": "string", "description": "Member number."},
        "points": {"type": "integer"},
        "refused": REFUSED,
        "errors": {"type": "array", "items": _FAULT},
    },
}
_PROBLEM = {
    "type": "object",
    "required": ["type", "title", "status", "detail", "code"],
    "properties": {
        "type": {"type": "string", "format": "uri"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "code": {"type": "string"},
        "errors": {
            "type": "array",
            "items": _FAULT,
        },
    },
}


def of(body_type: type[Any]) -> dict[str, Any]:
    """Return the JSON schema of a body, without references."""
    (schema,), parts = msgspec.json.schema_components([body_type], ref_template="{name}")
    resolved = _resolve(schema, parts)
    assert isinstance(resolved, dict)
    return resolved


def answers(statuses: Mapping[int, str], properties: Mapping[str, Any]) -> dict[tuple[int, str], OpenApiResponse]:
    """Return the responses that share one object of required properties."""
    body = {"type": "object", "required": list(properties), "properties": dict(properties)}
    return {
        (status, "application/json"): OpenApiResponse(body, description=description)
        for status, description in statuses.items()
    }


def problems(*statuses: int) -> dict[tuple[int, str], OpenApiResponse]:
    """Return the problem documents with these statuses."""
    return {(status, CONTENT_TYPE): OpenApiResponse(_PROBLEM, description=_TITLES[status]) for status in statuses}


def _resolve(part: Any, parts: Mapping[str, Any]) -> Any:
    if isinstance(part, dict):
        if "$ref" in part:
            return _resolve(parts[part["$ref"]], parts)
        return {name: _portable(name, _resolve(value, parts)) for name, value in part.items()}
    if isinstance(part, list):
        return [_resolve(value, parts) for value in part]
    return part


def _portable(name: str, value: Any) -> Any:
    # Python anchors a whole text with \A and \Z, JSON Schema (ECMA 262) with ^ and $.
    if name == "pattern" and isinstance(value, str):
        return value.replace(r"\A", "^").replace(r"\Z", "$").replace(r"\U0010ffff", r"\uffff")
    return value


class ApiKeyScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """The key in the schema."""

    target_class = "members.api.keys.ApiKeyAuthentication"
    name = "apiKey"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        """Return the OpenAPI security scheme."""
        return {"type": "http", "scheme": "bearer", "bearerFormat": "lp_<prefix>_<secret>"}

"""Bodies of requests: read as bytes, decoded and checked by msgspec in one go."""

import re
from collections.abc import Mapping
from http import HTTPStatus
from typing import IO, Any, TypeVar

import msgspec
from django.utils.translation import gettext as _
from rest_framework.parsers import BaseParser
from rest_framework.request import Request

from members.api.problems import Problem, invalid

LARGEST_BODY = 1_000_000
LARGEST_BATCH = 5_000_000

_WHERE = re.compile(r" - at `\$?(?P<path>[^`]*)`$")
_STEP = re.compile(r"\.(?P<name>[^.\[]+)|\[(?P<index>[^\]]*)\]")
_UNKNOWN_FIELD = re.compile(r"unknown field `(?P<name>.*?)`(?: - at `|\Z)", re.DOTALL)

Body = TypeVar("Body")


class RawJson(BaseParser):
    """Hand the view the bytes of a JSON body."""

    media_type = "application/json"
    largest = LARGEST_BODY

    def parse(  # type: ignore[override]
        self,
        stream: IO[bytes],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> bytes:
        """Return the body; raises Problem 413 above ``largest``."""
        body = stream.read(self.largest + 1)
        if len(body) > self.largest:
            raise Problem(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "too_large", _("The body is too large."))
        return body


class LargeRawJson(RawJson):
    """The same for bodies that hold a thousand things."""

    largest = LARGEST_BATCH


def decode(request: Request, body_type: type[Body]) -> Body:
    """Return the body as `body_type`; raises Problem 400 for no JSON, 422 for what does not fit."""
    return decode_bytes(raw_of(request), body_type)


def raw_of(request: Request) -> bytes:
    """Return the bytes of the body."""
    data = request.data
    return data if isinstance(data, bytes) else b""


def decode_bytes(data: bytes | msgspec.Raw, body_type: type[Body]) -> Body:
    """Return a part of a body as `body_type`; raises Problem as `decode` does, pointers from the part's root."""
    try:
        return msgspec.json.decode(data, type=body_type)
    except msgspec.ValidationError as problem:
        raise invalid(pointer_of(str(problem)), "invalid", _WHERE.sub("", str(problem))) from problem
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as problem:
        raise Problem(HTTPStatus.BAD_REQUEST, "malformed", _("The body is not valid JSON.")) from problem


def pointer_of(message: str) -> str:
    """Return the JSON pointer of the place that msgspec names in its message (``… - at `$.lines[0].sku` ``)."""
    where = _WHERE.search(message)
    steps = [step["name"] or step["index"] for step in _STEP.finditer(where["path"])] if where else []
    unknown = _UNKNOWN_FIELD.search(message)
    if unknown:
        steps.append(unknown["name"])
    return "".join("/" + step.replace("~", "~0").replace("/", "~1") for step in steps)

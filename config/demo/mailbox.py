"""A page with the mails and text messages that the demonstration has sent."""

import email
import email.policy
import json
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

SHOWN = 20


@dataclass(frozen=True)
class Letter:
    """One message as a person would read it."""

    name: str
    to: str
    subject: str
    text: str
    is_sms: bool


def mailbox(request: HttpRequest) -> HttpResponse:
    """Show the newest messages first."""
    paths = [*Path(str(settings.EMAIL_FILE_PATH)).glob("*.eml"), *Path(settings.SMS_SINK_DIR).glob("*.json")]
    newest = sorted(paths, key=lambda path: path.stat().st_mtime_ns, reverse=True)[:SHOWN]
    return render(request, "demo/mailbox.html", {"letters": [read_letter(path) for path in newest]})


def read_letter(path: Path) -> Letter:
    """Return what stands in the file of a mail (`.eml`) or of a text message (`.json`)."""
    if path.suffix == ".json":
        sms = json.loads(path.read_text(encoding="utf-8"))
        return Letter(path.name, sms["to"], "", sms["text"].strip(), is_sms=True)
    message = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
    body = message.get_body(("plain",))
    text = body.get_content() if body is not None else ""
    return Letter(path.name, str(message["to"]), str(message["subject"]), text.strip(), is_sms=False)

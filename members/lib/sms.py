"""Text messages. No provider is built in: messages go to a local folder until a transport is configured."""

import json
import secrets
from datetime import UTC, datetime
from pathlib import Path

from django.conf import settings


def send_sms(*, to: str, text: str) -> None:
    """Write one message to the sink folder; raises OSError when it cannot be written."""
    folder = Path(settings.SMS_SINK_DIR)
    folder.mkdir(parents=True, exist_ok=True)
    now = datetime.now(UTC)
    path = folder / f"{now:%Y%m%dT%H%M%S%f}-{secrets.token_hex(4)}.json"
    body = json.dumps({"to": to, "text": text, "sent_at": now.isoformat()}, ensure_ascii=False)
    path.write_text(body, encoding="utf-8")

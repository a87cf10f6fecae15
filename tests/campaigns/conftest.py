"""Fixtures of campaigns' tests: messages of their own, mail to a folder or to the sink."""

import email
import email.policy
from email.message import EmailMessage
from pathlib import Path

import pytest
from pytest_django.fixtures import Settings

from tests.harness.mail import SmtpSink

HERE = Path(__file__).parent


@pytest.fixture(autouse=True)
def own_templates(settings: Settings) -> None:
    """Find the texts of the messages that only tests send."""
    settings.TEMPLATES = [{**engine, "DIRS": [*engine["DIRS"], HERE / "templates"]} for engine in settings.TEMPLATES]


@pytest.fixture
def mail_folder(settings: Settings, tmp_path: Path) -> "MailFolder":
    """Return the folder that mails go to."""
    settings.EMAIL_BACKEND = "config.mail.FolderBackend"
    settings.EMAIL_FILE_PATH = str(tmp_path / "mail")
    settings.SMS_SINK_DIR = tmp_path / "sms"
    return MailFolder(tmp_path / "mail")


@pytest.fixture
def smtp(settings: Settings, smtp_sink: SmtpSink) -> SmtpSink:
    """Send mail to a real server on loopback, which is the judge of what was sent."""
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", smtp_sink.port
    settings.EMAIL_HOST_USER = settings.EMAIL_HOST_PASSWORD = ""
    settings.EMAIL_USE_TLS = settings.EMAIL_USE_SSL = False
    settings.EMAIL_TIMEOUT = 5
    return smtp_sink


class MailFolder:
    """The mails written so far, oldest first."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @property
    def messages(self) -> list[EmailMessage]:
        """Return the mails, parsed."""
        return [
            email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
            for path in sorted(self.folder.glob("*.eml"))
        ]

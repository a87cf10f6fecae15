"""E-mail over the configured Django backend."""

import contextlib
import ipaddress
import smtplib
from email.utils import parseaddr

from django.conf import settings
from django.core.mail import EmailMultiAlternatives, get_connection

from campaigns.messaging.channels.letter import Answer, Letter, Outcome

# RFC 2606: nobody owns these, so nothing for them leaves this machine.
_RESERVED_DOMAINS = ("test", "example", "invalid", "localhost", "example.com", "example.net", "example.org")


def is_reserved(address: str) -> bool:
    """Tell whether the address can belong to nobody."""
    domain = address.rpartition("@")[2].lower().rstrip(".")
    return any(domain == reserved or domain.endswith(f".{reserved}") for reserved in _RESERVED_DOMAINS)


def leaves_the_machine() -> bool:
    """Tell whether mail goes to a real server rather than to a folder or to loopback."""
    if not settings.EMAIL_BACKEND.endswith("smtp.EmailBackend"):
        return False
    try:
        return not ipaddress.ip_address(settings.EMAIL_HOST).is_loopback
    except ValueError:
        return bool(settings.EMAIL_HOST != "localhost")


def hand_over(letter: Letter) -> Answer:
    """Give one mail to the server and return what it answered.

    Never raises for what the server or the line does.
    """
    if is_reserved(letter.to) and leaves_the_machine():
        return Answer(Outcome.FAILED, "reserved_domain")
    mail = compose(letter)
    try:
        mail.message()
    except ValueError:
        # A line break in a header, or an address that is none.
        return Answer(Outcome.FAILED, "unfit_for_mail")
    connection = get_connection()
    try:
        connection.open()
    except (OSError, smtplib.SMTPException) as problem:
        # Nothing was said yet, so surely nothing was sent.
        return Answer(Outcome.REFUSED, _detail(problem))
    try:
        connection.send_messages([mail])
    except (OSError, smtplib.SMTPException) as problem:
        return _answer_to(problem)
    finally:
        with contextlib.suppress(OSError, smtplib.SMTPException):
            connection.close()
    return Answer(Outcome.SENT)


def compose(letter: Letter) -> EmailMultiAlternatives:
    """Build the mail: text first, then HTML, and the headers of an automatic message."""
    headers = {
        "Message-ID": f"<{letter.message_id}@{sender_domain()}>",
        "Auto-Submitted": "auto-generated",
        "Content-Language": letter.language,
    }
    if letter.unsubscribe_url:
        headers["List-Unsubscribe"] = f"<{letter.unsubscribe_url}>"
        headers["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    mail = EmailMultiAlternatives(subject=letter.subject, body=letter.text, to=[letter.to], headers=headers)
    if letter.html:
        mail.attach_alternative(letter.html, "text/html")
    return mail


def sender_domain() -> str:
    """Return the domain of our own address."""
    return parseaddr(settings.DEFAULT_FROM_EMAIL)[1].rpartition("@")[2] or "localhost"


def _answer_to(problem: OSError | smtplib.SMTPException) -> Answer:
    code = _reply_code(problem)
    if code is None:
        # The line broke somewhere between our first word and the server's last: it may have taken the mail.
        return Answer(Outcome.UNKNOWN, _detail(problem))
    return Answer(Outcome.FAILED if code >= 500 else Outcome.REFUSED, _detail(problem))


def _reply_code(problem: OSError | smtplib.SMTPException) -> int | None:
    if isinstance(problem, smtplib.SMTPRecipientsRefused):
        return max(code for code, _text in problem.recipients.values())
    if isinstance(problem, smtplib.SMTPResponseException):
        # A code of -1 is smtplib's word for an answer it could not read.
        return problem.smtp_code if problem.smtp_code >= 400 else None
    return None


def _detail(problem: OSError | smtplib.SMTPException) -> str:
    # The server's text may repeat the address, so only the kind and the code are kept.
    code = _reply_code(problem)
    return type(problem).__name__ + (f" {code}" if code else "")

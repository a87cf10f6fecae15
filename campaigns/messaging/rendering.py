"""Writing a letter: our own templates, the member's language, plain values."""

from collections.abc import Mapping
from datetime import datetime

from django.conf import settings
from django.template.loader import render_to_string, select_template
from django.urls import reverse
from django.utils import translation

from campaigns.messaging.channels.letter import Letter
from campaigns.messaging.kinds import MessageKind
from campaigns.messaging.models import Delivery
from campaigns.messaging.unsubscribing import unsubscribe_url
from members.accounts.models import Consent, Member, Person
from members.programme.models import Programme

_HTML_LANGUAGES = {"zh-hans": "zh-Hans", "zh-hant": "zh-Hant"}


def write_letter(delivery: Delivery, kind: MessageKind, *, person: Person, channel: str, at: datetime) -> Letter:
    """Fill the templates of the message in the member's language.

    Raises what the context builder raises (NothingToSay, NotYet).
    """
    member = person.member
    with translation.override(member.language):
        values = {**_about_the_member(member, person, kind, channel), **kind.build(delivery, at)}
        write = _write_email if channel == Consent.Channel.EMAIL else _write_sms
        return write(delivery, person, values)


def _about_the_member(member: Member, person: Person, kind: MessageKind, channel: str) -> dict[str, object]:
    is_marketing = kind.purpose == Consent.Purpose.MARKETING
    return {
        "programme_name": Programme.current().name,
        "site_url": settings.SITE_URL,
        "member_name": " ".join(person.name.split()),
        "preferences_url": settings.SITE_URL + reverse("campaigns:preferences"),
        "unsubscribe_url": unsubscribe_url(member_public_id=member.public_id, channel=channel) if is_marketing else "",
    }


def _write_email(delivery: Delivery, person: Person, values: Mapping[str, object]) -> Letter:
    folder = f"messages/{delivery.message}"
    language = person.member.language
    return Letter(
        to=person.email,
        # One line, whatever stands in a name: a line break would begin a header of the sender's own.
        subject=" ".join(render_to_string(f"{folder}/subject.txt", values).split()),
        text=render_to_string(f"{folder}/body.txt", values).strip() + "\n",
        html=render_to_string(f"{folder}/body.html", values),
        language=_HTML_LANGUAGES.get(language, language),
        message_id=delivery.message_id,
        unsubscribe_url=str(values["unsubscribe_url"]),
    )


def _write_sms(delivery: Delivery, person: Person, values: Mapping[str, object]) -> Letter:
    template = select_template([f"messages/{delivery.message}/sms.txt", f"messages/{delivery.message}/body.txt"])
    return Letter(
        to=person.phone,
        subject="",
        text=template.render(dict(values)).strip(),
        html="",
        language=person.member.language,
        message_id=delivery.message_id,
    )

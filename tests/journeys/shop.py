"""A shop that is open: rules, tiers, rewards and a survey, over real processes shared by many tests."""

import json
import os
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.totp.internal.auth import TOTP
from django.test import TransactionTestCase
from django.utils import timezone
from redis import Redis

from config.env import redis_addresses
from feedback.surveys.publishing import create_default_surveys
from members.accounts.api_keys import issue_key
from members.accounts.models import Member, User
from members.jobs.models import JobRun
from members.jobs.schedule import request_run
from members.ledger.audit import find_problems
from rewards.catalogue.models import Reward
from tests.factories import make_member, make_rule, make_staff, make_store, make_tiers, make_user
from tests.harness import pristine
from tests.harness.mail import running_sink, text_of
from tests.harness.site import ROOT, LiveSite, start_site
from tests.rewards.factories import make_reward

PASSWORD = "a long pass phrase"
TOTP_SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"

_serial = iter(range(1, 1_000_000))


@dataclass
class Shop:
    """The running site and what it offers."""

    site: LiveSite
    reward: Reward
    key: str

    @property
    def url(self) -> str:
        """Return the address of the site."""
        return self.site.url

    def wait(self, question: Callable[[], Any], *, seconds: float = 15) -> Any:
        """Ask until the answer is true; a step of the main job happens within seconds."""
        return self.site.wait_for(question, seconds=seconds)

    def mail(self, address: str, words: str) -> EmailMessage:
        """Return the first mail to an address whose subject or text holds the words, as soon as it is there."""
        found = self.wait(lambda: [one for one in self.site.mail.to(address) if words in said(one)])
        return found[0]

    def mails(self, address: str, words: str) -> list[EmailMessage]:
        """Return what has arrived so far."""
        return [one for one in self.site.mail.to(address) if words in said(one)]

    def sms(self, number: str) -> str:
        """Return the newest text message to a number, as soon as there is one."""
        found = self.wait(lambda: [one["text"] for one in self.site.sms() if one["to"] == number])
        return str(found[-1])

    def run_job(self, name: str) -> JobRun:
        """Let the worker run a scheduled job once more and wait until it has."""
        asked = request_run(job=name, actor_id=None)
        return self.wait(lambda: JobRun.objects.filter(pk=asked.pk, state=JobRun.State.DONE).first())

    def command(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run a command of manage.py as an operator would."""
        return subprocess.run(
            [sys.executable, "manage.py", *words],
            cwd=ROOT,
            env=self.site.environment,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def report(self, member: Member, amount: int, *, number: str = "", at: datetime | None = None) -> "Reply":
        """Report a purchase of one line as a till does; amounts in pence."""
        return self.post(purchase_body(member, amount, number=number, at=at))

    def post(self, body: dict[str, Any]) -> "Reply":
        """Post a purchase to the API."""
        return post(self.url, self.key, body)


@dataclass
class Reply:
    """What the API answered."""

    status: int
    body: dict[str, Any]


def said(message: EmailMessage) -> str:
    """Return subject and text."""
    return f"{message['subject']}\n{text_of(message)}"


def purchase_body(member: Member, amount: int, *, number: str = "", at: datetime | None = None) -> dict[str, Any]:
    """Return the body of a purchase of one line."""
    return {
        "source": "till-1",
        "number": number or f"T{next(_serial)}",
        "member": member.number,
        "purchased_at": (at or datetime.now(UTC)).isoformat(),
        "currency": "GBP",
        "lines": [{"sku": "TEA", "category": "kitchen", "quantity": 1, "amount": amount}],
    }


def post(url: str, key: str, body: dict[str, Any], *, seconds: float = 10) -> Reply:
    """Post a purchase; raises OSError when nobody answers, HTTPException for half an answer."""
    request = urllib.request.Request(
        f"{url}/api/v1/purchases",
        data=json.dumps(body).encode(),
        headers={"Authorization": f"Bearer {key}", "Content-Type": "application/json"},
    )
    try:
        with urllib.request.urlopen(request, timeout=seconds) as answer:
            return Reply(answer.status, json.load(answer))
    except urllib.error.HTTPError as refusal:
        with refusal:
            return Reply(refusal.code, json.load(refusal))


def new_address(name: str) -> str:
    """Return an address nobody has used."""
    return f"{name}{next(_serial)}@example.com"


def confirm(user: User) -> User:
    """Let a login's address count as confirmed."""
    EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)
    return user


def member_with_login(name: str = "Mei Lin", **fields: Any) -> Member:
    """Return a member who can sign in with PASSWORD."""
    address = new_address(name.split(maxsplit=1)[0].lower())
    user = confirm(make_user(email=address, password=PASSWORD))
    return make_member(user=user, name=name, email=address, **fields)


def staff_with_login() -> User:
    """Return a superuser with a second factor."""
    user = confirm(make_staff(email=new_address("staff"), password=PASSWORD))
    TOTP.activate(user, TOTP_SECRET)
    return user


def forget_tries() -> None:
    """Empty the site's cache, so that nobody is held up by how often others have tried before."""
    _broker, cache = redis_addresses(os.environ["TEST_REDIS_URL"])
    with Redis.from_url(cache) as redis:
        redis.flushdb()


def broker() -> Redis:
    """Return a connection to where the site's workers wait."""
    address, _cache = redis_addresses(os.environ["TEST_REDIS_URL"])
    # Celery has words of its own for a Redis behind a socket.
    return Redis.from_url(address.replace("redis+socket:", "unix:").replace("virtual_host=", "db="))


@contextmanager
def shared_shop(folder: Path) -> Iterator[Shop]:
    """Open a shop whose database is kept from test to test."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TransactionTestCase, "_fixture_teardown", lambda self: None)
        with open_shop(folder) as shop:
            yield shop


@contextmanager
def open_shop(folder: Path) -> Iterator[Shop]:
    """Open the shop over the freshly migrated database; afterwards the books must be right, then all is restored."""
    with running_sink() as sink:
        try:
            make_rule()
            make_tiers()
            make_store()
            create_default_surveys()
            reward = make_reward(stock=1000, name_en="Coffee for two", valid_days=30)
            _key, text = issue_key(name="till", scopes=["purchases:write"], created_by_id=None, at=timezone.now())
            site = start_site(folder, sink, os.environ["TEST_REDIS_URL"])
            try:
                yield Shop(site, reward, text)
            finally:
                site.stop()
            assert find_problems() == []
        finally:
            pristine.restore()

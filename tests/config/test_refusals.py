"""Production refuses to start when something is unsafe."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured

from config.refusals import local_secret_key, refuse_unsafe

ROOT = Path(__file__).resolve().parent.parent.parent
STRONG = "".join(map(chr, range(48, 112)))
SAFE: dict[str, Any] = {
    "is_local": False,
    "secret_key": STRONG,
    "allowed_hosts": ["club.example.com"],
    "redis_url": "redis://cache.example.com:6379/0",
    "email_url": "smtp://mail.example.com",
    "site_url": "https://club.example.com",
    "web_workers": 4,
}


def test_a_safe_production_starts():
    refuse_unsafe(**SAFE)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"secret_key": ""}, "SECRET_KEY must be random"),
        ({"secret_key": STRONG[:49]}, "SECRET_KEY must be random"),
        ({"secret_key": "x" * 64}, "SECRET_KEY must be random"),
        ({"secret_key": "django-insecure-" + STRONG}, "SECRET_KEY is an example"),
        ({"allowed_hosts": []}, "ALLOWED_HOSTS"),
        ({"allowed_hosts": ["*"]}, "ALLOWED_HOSTS"),
        ({"email_url": ""}, "EMAIL_URL"),
        ({"site_url": ""}, "SITE_URL"),
        ({"redis_url": ""}, "WEB_WORKERS above 1 needs REDIS_URL"),
        ({"is_local": True}, "serve this machine only"),
        ({"plan_provider": "test"}, "PLAN_PROVIDER test takes no money"),
    ],
)
def test_an_unsafe_production_does_not_start(change, reason):
    with pytest.raises(ImproperlyConfigured, match=reason):
        refuse_unsafe(**SAFE | change)


def test_all_reasons_are_named_at_once():
    with pytest.raises(ImproperlyConfigured, match=r"SECRET_KEY.*ALLOWED_HOSTS.*EMAIL_URL"):
        refuse_unsafe(**SAFE | {"secret_key": "", "allowed_hosts": [], "email_url": ""})


def test_one_worker_may_use_a_cache_of_its_own():
    refuse_unsafe(**SAFE | {"redis_url": "", "web_workers": 1})


def test_a_local_installation_needs_no_settings():
    refuse_unsafe(
        is_local=True,
        secret_key="",
        allowed_hosts=["localhost"],
        redis_url="",
        email_url="",
        site_url="",
        web_workers=1,
    )


def test_the_local_secret_is_made_once_and_readable_by_its_owner_only(tmp_path):
    secret = local_secret_key(tmp_path / "new")
    assert len(secret) >= 64
    assert local_secret_key(tmp_path / "new") == secret
    assert (tmp_path / "new" / "secret-key").stat().st_mode & 0o077 == 0


def test_the_web_server_refuses_to_start_without_settings(tmp_path):
    environment = {"PATH": os.environ["PATH"], "DATA_DIR": str(tmp_path)}
    code = "import config.wsgi"
    result = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert result.returncode == 1
    assert "ImproperlyConfigured: SECRET_KEY must be random" in result.stderr


def test_debug_with_a_public_host_refuses_to_start(tmp_path):
    environment = {
        "PATH": os.environ["PATH"],
        "DATA_DIR": str(tmp_path),
        "DEBUG": "true",
        "ALLOWED_HOSTS": "club.example.com",
    }
    result = subprocess.run(
        [sys.executable, "-c", "import config.wsgi"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert "serve this machine only" in result.stderr

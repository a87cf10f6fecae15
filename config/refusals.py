"""What a production installation refuses to start with."""

import os
import secrets
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured

LOCAL_NAMES = frozenset({"localhost", "127.0.0.1", "[::1]", "testserver"})
SECRET_KEY_LENGTH = 50
SECRET_KEY_SYMBOLS = 10


def local_secret_key(data_dir: Path) -> str:
    """Return the secret of a local installation, made once and kept in its data folder."""
    path = data_dir / "secret-key"
    if not path.exists():
        data_dir.mkdir(parents=True, exist_ok=True)
        unfinished = data_dir / f"secret-key.{os.getpid()}"
        unfinished.touch(mode=0o600)
        unfinished.write_text(secrets.token_urlsafe(64), encoding="ascii")
        # Of several processes that start together one wins, and all read its secret.
        with suppress(FileExistsError):
            os.link(unfinished, path)
        unfinished.unlink()
    return path.read_text(encoding="ascii")


def refuse_unsafe(
    *,
    is_local: bool,
    secret_key: str,
    allowed_hosts: Sequence[str],
    redis_url: str,
    email_url: str,
    site_url: str,
    web_workers: int,
    plan_provider: str = "manual",
) -> None:
    """Raise ImproperlyConfigured with every reason why these settings are unsafe; return when they are safe.

    A local installation (demonstration, tests, debugging) may be weak, but it answers only local hosts.
    """
    foreign = [host for host in allowed_hosts if host not in LOCAL_NAMES]
    reasons = []
    if is_local:
        if foreign:
            reasons.append(f"DEBUG, DEMO and TESTING serve this machine only; ALLOWED_HOSTS names {foreign[0]}")
    else:
        reasons += production_reasons(secret_key, allowed_hosts, email_url, site_url)
        if plan_provider == "test":
            reasons.append("PLAN_PROVIDER test takes no money: it is the stand-in of the demonstration")
    if web_workers > 1 and not redis_url:
        reasons.append("WEB_WORKERS above 1 needs REDIS_URL: a cache of one process is not shared")
    if reasons:
        raise ImproperlyConfigured("; ".join(reasons) + ".")


def production_reasons(secret_key: str, allowed_hosts: Sequence[str], email_url: str, site_url: str) -> list[str]:
    """Return what is missing or weak in a production installation."""
    reasons = []
    if len(secret_key) < SECRET_KEY_LENGTH or len(set(secret_key)) < SECRET_KEY_SYMBOLS:
        reasons.append(f"SECRET_KEY must be random and at least {SECRET_KEY_LENGTH} characters long")
    if "insecure" in secret_key or "change" in secret_key:
        reasons.append("SECRET_KEY is an example")
    if not allowed_hosts or "*" in allowed_hosts:
        reasons.append("ALLOWED_HOSTS must name the hosts of this site")
    if not email_url:
        reasons.append("EMAIL_URL must say where mail goes")
    if not site_url:
        reasons.append("SITE_URL must be the public address of this site")
    return reasons

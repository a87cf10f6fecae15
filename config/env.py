"""Typed readers of environment variables that refuse nonsense instead of guessing."""

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured

TRUE_WORDS = frozenset({"1", "true", "yes", "on"})
FALSE_WORDS = frozenset({"0", "false", "no", "off"})


@dataclass(frozen=True)
class Environment:
    """Read settings from a mapping of names to text; an empty text counts as not given."""

    values: Mapping[str, str]

    @classmethod
    def of_process(cls, dotenv: Path) -> "Environment":
        """Return the environment of this process, completed by the file `dotenv` when it exists."""
        return cls({**read_dotenv(dotenv), **os.environ})

    def text(self, name: str, default: str = "") -> str:
        """Return the text of `name`, without blanks at its ends."""
        return self.values.get(name, "").strip() or default

    def boolean(self, name: str, *, default: bool) -> bool:
        """Return true or false; raise ImproperlyConfigured for any word that is neither."""
        word = self.text(name).lower()
        if not word:
            return default
        if word in TRUE_WORDS:
            return True
        if word in FALSE_WORDS:
            return False
        raise ImproperlyConfigured(f"{name} must be true or false, not {word!r}.")

    def integer(self, name: str, default: int, *, at_least: int = 0, at_most: int | None = None) -> int:
        """Return a whole number within its limits; raise ImproperlyConfigured otherwise."""
        word = self.text(name)
        try:
            number = int(word) if word else default
        except ValueError:
            raise ImproperlyConfigured(f"{name} must be a whole number, not {word!r}.") from None
        if number < at_least or (at_most is not None and number > at_most):
            limit = f"at least {at_least}" if at_most is None else f"from {at_least} to {at_most}"
            raise ImproperlyConfigured(f"{name} must be {limit}, not {number}.")
        return number

    def words(self, name: str, default: Iterable[str] = ()) -> list[str]:
        """Return the parts of a list separated by commas."""
        parts = [part.strip() for part in self.text(name).split(",")]
        return [part for part in parts if part] or list(default)

    def choice(self, name: str, default: str, *, among: Iterable[str]) -> str:
        """Return one of the words `among`; raise ImproperlyConfigured for another."""
        word = self.text(name, default)
        allowed = sorted(among)
        if word not in allowed:
            raise ImproperlyConfigured(f"{name} must be one of {', '.join(allowed)}, not {word!r}.")
        return word

    def folder(self, name: str, default: Path) -> Path:
        """Return an absolute folder; it is not made here."""
        return Path(self.text(name, str(default))).expanduser().absolute()

    def address(self, name: str, default: str = "", *, schemes: Iterable[str]) -> str:
        """Return a URL of one of `schemes`, or an empty text; raise ImproperlyConfigured for another."""
        text = self.text(name, default)
        allowed = sorted(schemes)
        if text and split_address(name, text).scheme not in allowed:
            raise ImproperlyConfigured(f"{name} must start with one of {', '.join(allowed)}.")
        return text


def read_dotenv(path: Path) -> dict[str, str]:
    """Return the NAME=value lines of a file, or nothing when there is no such file."""
    if not path.is_file():
        return {}
    lines = (line.strip() for line in path.read_text(encoding="utf-8").splitlines())
    pairs = (line.partition("=") for line in lines if line and not line.startswith("#"))
    return {name.strip(): value.strip().strip("\"'") for name, _, value in pairs}


def split_address(name: str, text: str) -> SplitResult:
    """Return the parts of a URL; raise ImproperlyConfigured when it is none."""
    try:
        parts = urlsplit(text)
        has_sense = bool(parts.scheme) and (parts.port is None or parts.port > 0)
    except ValueError:
        has_sense = False
    if not has_sense:
        raise ImproperlyConfigured(f"{name} is not an address.")
    return parts


def database_settings(url: str, *, pool: int, statement_seconds: int, data_dir: Path) -> dict[str, Any]:
    """Return Django's settings for a database address (`sqlite:///file` or `postgres://…`).

    An empty address is the SQLite file in the data folder. `pool` is the size of the pool of each
    process on PostgreSQL; 0 keeps one persistent connection for each thread. A statement there may take
    `statement_seconds`; 0 is no limit.
    """
    if not url:
        return sqlite_settings(data_dir / "db.sqlite3")
    parts = split_address("DATABASE_URL", url)
    if parts.scheme == "sqlite":
        return sqlite_settings(Path(unquote(parts.path[1:])))
    if parts.scheme in {"postgres", "postgresql"}:
        return postgres_settings(parts, pool=pool, statement_seconds=statement_seconds)
    raise ImproperlyConfigured("DATABASE_URL must start with sqlite: or postgres:.")


def sqlite_settings(path: Path) -> dict[str, Any]:
    """Return the settings of a SQLite file that several processes write without errors."""
    pragmas = "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON;"
    return {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": str(path.absolute()),
        "OPTIONS": {"timeout": 20, "transaction_mode": "IMMEDIATE", "init_command": pragmas},
    }


def postgres_settings(parts: SplitResult, *, pool: int, statement_seconds: int) -> dict[str, Any]:
    """Return the settings of a PostgreSQL database; its socket folder may stand in `?host=`."""
    query = dict(parse_qsl(parts.query))
    limits = f"-c lock_timeout=3s -c statement_timeout={statement_seconds}s -c idle_in_transaction_session_timeout=30s"
    # What we prepare is planned once for all: members.lib.prepared.
    own = f"{limits} -c plan_cache_mode=force_generic_plan"
    options: dict[str, object] = {"options": query.pop("options", own)}
    host = query.pop("host", unquote(parts.hostname or ""))
    options |= query
    if pool:
        options["pool"] = {"min_size": 1, "max_size": pool, "timeout": 5}
    return {
        "ENGINE": "config.postgresql",
        "NAME": unquote(parts.path.lstrip("/")),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": host,
        "PORT": str(parts.port or ""),
        "CONN_MAX_AGE": 0 if pool else 600,
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": options,
    }


@dataclass(frozen=True)
class Mail:
    """Where mail goes."""

    scheme: str
    backend: str
    folder: str | None = None
    host: str = ""
    port: int = 25
    user: str = ""
    password: str = ""


def email_settings(url: str) -> Mail:
    """Return where mail goes for `file:DIR`, `console:` or `smtp://user:password@host:port`.

    `smtps://` speaks TLS from the first byte, `smtp+tls://` after STARTTLS.
    """
    parts = split_address("EMAIL_URL", url)
    if parts.scheme == "console":
        return Mail(parts.scheme, "django.core.mail.backends.console.EmailBackend")
    if parts.scheme == "file":
        return Mail(parts.scheme, "config.mail.FolderBackend", folder=str(Path(unquote(parts.path)).absolute()))
    ports = {"smtp": 25, "smtps": 465, "smtp+tls": 587}
    if parts.scheme not in ports or not parts.hostname:
        raise ImproperlyConfigured("EMAIL_URL must be file:DIR, console: or smtp://user:password@host:port.")
    return Mail(
        parts.scheme,
        "django.core.mail.backends.smtp.EmailBackend",
        host=parts.hostname,
        port=parts.port or ports[parts.scheme],
        user=unquote(parts.username or ""),
        password=unquote(parts.password or ""),
    )


def redis_addresses(url: str) -> tuple[str, str]:
    """Return the addresses of the broker and of the cache on one Redis server.

    The cache lives in the next database number, so that clearing it leaves the broker alone.
    """
    parts = split_address("REDIS_URL", url)
    if parts.scheme == "unix":
        number = int(dict(parse_qsl(parts.query)).get("db", "0"))
        return f"redis+socket://{parts.path}?virtual_host={number}", f"unix://{parts.path}?db={number + 1}"
    if parts.scheme not in {"redis", "rediss"}:
        raise ImproperlyConfigured("REDIS_URL must start with redis:, rediss: or unix:.")
    number = int(parts.path.lstrip("/") or "0")
    return parts._replace(path=f"/{number}").geturl(), parts._replace(path=f"/{number + 1}").geturl()

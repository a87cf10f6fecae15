"""Keys of machines: ``lp_<prefix>_<secret>``. Only a hash of the secret is stored.

Every process remembers a key that opened for a few seconds, so that a busy till does not ask for it at each purchase.
"""

import hashlib
import secrets
import time
from collections.abc import Iterable
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q

from members.accounts.models import ApiKey
from members.events.audit_log import write_audit

SCOPES = frozenset({"purchases:write", "members:read", "points:hold", "rewards:read", "rewards:redeem", "rewards:give"})

_PREFIX_SYMBOLS = "abcdefghijkmnpqrstuvwxyz23456789"
_PREFIX_LENGTH = 8
_LONGEST_KEY = 100
_USE_NOTED_EVERY = timedelta(minutes=1)
# A key that was revoked elsewhere opens for so long at most.
REMEMBERED_SECONDS = 5

# The keys that opened, by the hash of their whole text, and until when they are trusted. Wrong texts are never kept.
_remembered: dict[str, tuple[float, ApiKey]] = {}


class InvalidKey(Exception):
    """The key is unknown, wrong, expired or revoked: nobody learns which."""


class UnknownScope(Exception):
    """A key can only be limited to what the API knows."""


def issue_key(
    *,
    name: str,
    scopes: Iterable[str],
    created_by_id: int | None,
    at: datetime,
    expires_at: datetime | None = None,
) -> tuple[ApiKey, str]:
    """Return a new key and its text, which is never shown again. Raises UnknownScope."""
    wanted = sorted(set(scopes))
    if not wanted or not SCOPES.issuperset(wanted):
        raise UnknownScope
    prefix = "".join(secrets.choice(_PREFIX_SYMBOLS) for _ in range(_PREFIX_LENGTH))
    secret = secrets.token_urlsafe(32)
    with transaction.atomic():
        key = ApiKey.objects.create(
            name=name,
            prefix=prefix,
            secret_hash=_hash(secret),
            scopes=wanted,
            created_by_id=created_by_id,
            created_at=at,
            expires_at=expires_at,
        )
        write_audit(
            actor_id=created_by_id,
            action="api_key.issued",
            target=f"api-key:{prefix}",
            reason=name,
            data={"scopes": wanted},
        )
    return key, f"lp_{prefix}_{secret}"


def authenticate(raw: str, *, at: datetime) -> ApiKey:
    """Return the key with this text, noting its use (to the minute). Raises InvalidKey.

    A change of the key by another process counts after REMEMBERED_SECONDS; the end of its time counts at once.
    """
    key = _recalled(raw) or _read(raw)
    if key.revoked_at is not None or (key.expires_at and key.expires_at <= at):
        raise InvalidKey
    if key.last_used_at is None or key.last_used_at < at - _USE_NOTED_EVERY:
        unnoted = Q(last_used_at=None) | Q(last_used_at__lt=at - _USE_NOTED_EVERY)
        ApiKey.objects.filter(unnoted, pk=key.pk).update(last_used_at=at)
        key.last_used_at = at
    return key


def forget_remembered() -> None:
    """Read every key anew next time."""
    _remembered.clear()


def _recalled(raw: str) -> ApiKey | None:
    until, key = _remembered.get(_hash(raw), (0.0, None))
    return key if time.monotonic() < until else None


def _read(raw: str) -> ApiKey:
    """Return the key as it is stored and remember it; raises InvalidKey for an unknown prefix or a wrong secret."""
    _lp, prefix, secret = _parts(raw)
    read_at = time.monotonic()
    key = ApiKey.objects.filter(prefix=prefix).first() if prefix else None
    # An unknown prefix costs the same work as a wrong secret.
    matches = secrets.compare_digest(_hash(secret), key.secret_hash if key else _hash(""))
    if key is None or not matches:
        raise InvalidKey
    _remembered[_hash(raw)] = read_at + REMEMBERED_SECONDS, key
    return key


def revoke_key(*, key_id: int, actor_id: int | None, at: datetime, reason: str) -> None:
    """Make a key useless, here at once and in other processes within REMEMBERED_SECONDS.

    Revoking twice keeps the first time.
    """
    with transaction.atomic():
        revoked = ApiKey.objects.filter(pk=key_id, revoked_at=None).update(revoked_at=at)
        if revoked:
            prefix = ApiKey.objects.values_list("prefix", flat=True).get(pk=key_id)
            write_audit(
                actor_id=actor_id,
                action="api_key.revoked",
                target=f"api-key:{prefix}",
                reason=reason,
                data={},
            )
    forget_remembered()


def _parts(raw: str) -> tuple[str, str, str]:
    mark, _, rest = raw.partition("_")
    prefix, _, secret = rest.partition("_")
    if mark != "lp" or not raw.isascii() or not raw.isprintable() or len(raw) > _LONGEST_KEY:
        return "", "", ""
    return mark, prefix, secret


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode(errors="surrogatepass")).hexdigest()

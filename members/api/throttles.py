"""How often one key may call."""

from typing import Any

from rest_framework.request import Request
from rest_framework.throttling import SimpleRateThrottle

from members.accounts.models import ApiKey


class ByKey(SimpleRateThrottle):
    """One allowance per key, or per address without one; shared by the processes that share the cache."""

    scope = "key"

    def get_cache_key(self, request: Request, view: Any) -> str:
        """Return whose allowance is used."""
        caller = f"key:{request.auth.pk}" if isinstance(request.auth, ApiKey) else self.get_ident(request)
        return self.cache_format % {"scope": self.scope, "ident": caller}

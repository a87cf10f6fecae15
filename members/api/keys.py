"""Who calls the API: a machine with a key."""

from typing import Any

from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from members.accounts import api_keys
from members.accounts.models import ApiKey

_SCHEME = "Bearer"


class Machine:
    """The caller as Django's middleware sees it: somebody, but no login."""

    pk = None
    is_authenticated = True
    is_anonymous = False
    is_staff = False
    is_active = True


class ApiKeyAuthentication(BaseAuthentication):
    """``Authorization: Bearer lp_…``."""

    def authenticate(self, request: Request) -> tuple[Machine, ApiKey] | None:
        """Return the key, or None without a header; raises AuthenticationFailed for every wrong key."""
        header = request.headers.get("Authorization", "")
        if not header:
            return None
        scheme, _space, raw = header.partition(" ")
        if scheme.lower() != _SCHEME.lower():
            raise AuthenticationFailed(_("Use a Bearer key."))
        try:
            key = api_keys.authenticate(raw.strip(), at=timezone.now())
        except api_keys.InvalidKey as problem:
            raise AuthenticationFailed(_("The API key is not valid.")) from problem
        return Machine(), key

    def authenticate_header(self, request: Request) -> str:
        """Return the challenge, which makes missing and wrong keys 401."""
        return _SCHEME


class HasScope(BasePermission):
    """The view's `scope` must be one of the key's."""

    message = _("The API key lacks the scope for this.")

    def has_permission(self, request: Request, view: Any) -> bool:
        """Tell whether the key may do what the view does."""
        return isinstance(request.auth, ApiKey) and view.scope in request.auth.scopes

"""What every template may name."""

from django.conf import settings
from django.http import HttpRequest


def site(request: HttpRequest) -> dict[str, object]:
    """Return whether this is the demonstration, and the public address of the site."""
    return {"is_demo": settings.DEMO, "site_url": settings.SITE_URL}

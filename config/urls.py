"""The addresses of the whole site."""

from allauth.account.decorators import secure_admin_login
from django.conf import settings
from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path

from config.health import healthz

admin.autodiscover()
admin.site.login = secure_admin_login(admin.site.login)  # type: ignore[method-assign, no-untyped-call]

urlpatterns: list[URLPattern | URLResolver] = [
    # First: shops send more requests than everybody else, and no page begins like this.
    path("api/v1/", include("config.api")),
    path("", include("members.web.urls")),
    path("", include("rewards.web.urls")),
    path("", include("campaigns.web.urls")),
    path("", include("feedback.web.urls")),
    path("accounts/", include("allauth.urls")),
    path("admin/", admin.site.urls),
    path("i18n/", include("django.conf.urls.i18n")),
    path("healthz", healthz, name="healthz"),
]

# Under /api/ an error is a problem document, elsewhere a page.
handler400 = "members.api.problems.bad_request"
handler403 = "members.api.problems.permission_denied"
handler404 = "members.api.problems.page_not_found"
handler500 = "members.api.problems.server_error"

if settings.DEMO:
    urlpatterns.append(path("demo/", include("config.demo.urls")))

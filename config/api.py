"""The root of the REST API: where things are, and the schema."""

from django.urls import include, path
from drf_spectacular.utils import extend_schema
from drf_spectacular.views import SpectacularAPIView
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.reverse import reverse
from rest_framework.views import APIView


class ApiRoot(APIView):
    """Say where the schema is, so that a newcomer finds the rest."""

    permission_classes = [AllowAny]

    @extend_schema(exclude=True)
    def get(self, request: Request) -> Response:
        """Return the name, the version and the addresses."""
        addresses = {"schema": reverse("api-schema", request=request)}
        return Response({"name": "loyalty", "version": "1", **addresses})


urlpatterns = [
    path("", ApiRoot.as_view(), name="api-root"),
    path("schema/", SpectacularAPIView.as_view(), name="api-schema"),
    path("", include("members.api.urls")),
    path("", include("rewards.api.urls")),
]

"""The least a Django process can do: one view, no middleware. What the service's own requests are compared with."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.urls import path

settings.configure(
    ALLOWED_HOSTS=["*"],
    SECRET_KEY="nothing here is signed",  # noqa: S106  as it says
    ROOT_URLCONF=__name__,
    INSTALLED_APPS=["rest_framework"],
    REST_FRAMEWORK={"UNAUTHENTICATED_USER": None, "DEFAULT_AUTHENTICATION_CLASSES": []},
)

from django.core.wsgi import get_wsgi_application  # noqa: E402  settings come first

application = get_wsgi_application()

from rest_framework.request import Request  # noqa: E402  as above
from rest_framework.response import Response  # noqa: E402  as above
from rest_framework.views import APIView  # noqa: E402  as above


class Plain(APIView):
    """A plain REST framework view with a small body."""

    def get(self, _request: Request) -> Response:
        body: dict[str, Any] = {"status": "success", "data": list(range(20))}
        return Response(body)


def hello(_request: HttpRequest) -> HttpResponse:
    return HttpResponse(b"hello")


urlpatterns = [path("hello", hello), path("plain", Plain.as_view())]

"""Paths that fail in every way the framework knows."""

from django.core.exceptions import PermissionDenied, RequestDataTooBig, SuspiciousOperation
from django.db import OperationalError
from django.http import Http404, HttpResponse, HttpResponseNotFound
from django.urls import include, path
from django.views import View
from rest_framework.response import Response
from rest_framework.views import APIView

from errors.catalog import NUMBER_OUT_OF_RANGE
from errors.exceptions import ApiError

handler400 = "errors.views.bad_request"
handler403 = "errors.views.permission_denied"
handler404 = "errors.views.not_found"
handler500 = "errors.views.server_error"

FAILURES = {
    "missing": Http404,
    "forbidden": PermissionDenied,
    "suspicious": SuspiciousOperation,
    "oversized": RequestDataTooBig,
    "database": OperationalError,
    "bug": lambda: KeyError("secret-of-ours"),
    "catalogued": lambda: ApiError(
        NUMBER_OUT_OF_RANGE, field="limit", low=1, high=1000, details="Received value: 5000"
    ),
}


def failing(request, name):
    failure = FAILURES[name]()
    raise failure


def plain_404(request):
    return HttpResponseNotFound("nothing", headers={"X-Kept": "yes", "ETag": '"old"'})


def health(request):
    response = HttpResponse(b'{"status":"degraded"}', status=503, content_type="application/json")
    response.own_error_body = True
    return response


class GetOnly(View):
    def get(self, _request):
        return HttpResponse("fine")


class Framework(APIView):
    authentication_classes = []
    throttle_classes = []

    def get(self, _request):
        return Response({"fine": True})

    def post(self, request):
        return Response(request.data)

    def put(self, _request):
        raise KeyError("secret-of-ours")

    def patch(self, _request):
        return Response(object())


urlpatterns = [
    path("fails/<name>", failing),
    path("plain-404", plain_404),
    path("health", health),
    path("get-only", GetOnly.as_view()),
    path("framework", Framework.as_view()),
    path("", include("errors.urls")),
]

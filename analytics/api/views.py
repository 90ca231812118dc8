"""The base of analytic views: permission first, then limits, then one validated call."""

from collections.abc import Mapping, Sequence
from typing import ClassVar

from django.conf import settings
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response

from analytics.api.common import caller_of
from analytics.api.parameters import Parameter
from analytics.api.read_after import HEADER as READ_AFTER
from analytics.api.read_after import ReadsAfter
from analytics.storage.deadline import limit_statements
from ratelimit.views import LimitedAPIView

SAFE = ("GET", "HEAD")


class AnalyticsView(ReadsAfter, LimitedAPIView):
    """A reading route. `parameters` are the ones it takes; `public` ones also serve callers without a credential."""

    permission: ClassVar[str]
    public: ClassVar[bool] = False
    parameters: ClassVar[Sequence[Parameter]] = ()
    cache_control: ClassVar[str] = "private, no-cache"
    only_reads = True

    def initial(self, request: Request, *args: object, **kwargs: object) -> None:
        limit_statements(settings.STATEMENT_TIMEOUT_MS if self.rate_class is None else settings.QUERY_TIMEOUT_MS)
        super().initial(request, *args, **kwargs)

    def check_permissions(self, request: Request) -> None:
        caller = caller_of(request)
        if request.user.is_authenticated or not self.public:
            caller.require(self.permission)
        else:
            caller.scope()  # 401 while nothing is public, before anything else is judged

    def finalize_response(self, request: Request, response: Response, *args: object, **kwargs: object) -> Response:
        response = super().finalize_response(request, response, *args, **kwargs)
        if request.method in SAFE and response.status_code < status.HTTP_400_BAD_REQUEST:
            response["Cache-Control"] = self.freshness(request)
        return response

    def freshness(self, request: Request) -> str:
        """Return the `Cache-Control` of a reply to GET; nobody but its caller may keep it if there is a credential."""
        if READ_AFTER in request.headers:
            return "private, no-cache"
        anonymous = not request.user.is_authenticated
        return self.cache_control.replace("private", "public") if anonymous else self.cache_control


class ByMethodView(AnalyticsView):
    """A route whose methods need `permissions` of their own; one that it does not serve is refused for that."""

    permissions: ClassVar[Mapping[str, str]]

    def check_permissions(self, request: Request) -> None:
        method = "GET" if request.method == "HEAD" else str(request.method)
        if method in self.allowed_methods:
            caller_of(request).require(self.permissions[method])

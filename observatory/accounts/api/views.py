"""The base of management routes: permission by method, pages by offset."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, TypeVar, cast

from django.db import models
from rest_framework.request import Request
from rest_framework.response import Response

from analytics.api.common import LIMIT_AND_OFFSET
from analytics.api.parameters import validate
from analytics.api.read_after import ReadsAfter
from analytics.api.resources import paged
from errors.catalog import NOT_FOUND_HERE
from errors.exceptions import ApiError
from observatory.accounts import audit
from observatory.accounts.principals import Principal
from ratelimit.views import LimitedAPIView

M = TypeVar("M", bound=models.Model)


class ManagementView(ReadsAfter, LimitedAPIView):
    """A route on what an organisation manages: `permissions` by method; none for a method that any credential may use.

    Every write is one transaction.
    """

    permissions: ClassVar[Mapping[str, str]] = {}

    def check_permissions(self, request: Request) -> None:
        needed = self.permissions.get("GET" if request.method == "HEAD" else str(request.method))
        if needed is not None:
            caller_of(request).require(needed)

    def finalize_response(self, request: Request, response: Response, *args: Any, **kwargs: Any) -> Response:
        response = super().finalize_response(request, response, *args, **kwargs)
        if request.method in ("GET", "HEAD"):
            response.headers.setdefault("Cache-Control", "private, no-cache")
        return response


def caller_of(request: Request) -> Principal:
    """Return the authenticated caller: no management route serves anybody else."""
    return cast("Principal", request.user)


def page_of(request: Request, name: str, rows: "models.QuerySet[M]", shown: Callable[[M], dict[str, Any]]) -> Response:
    """Return a page of `rows` as a list called `name`."""
    values = validate(request.query_params, LIMIT_AND_OFFSET)
    return paged(name, rows, shown, limit=values["limit"], offset=values["offset"])


def found(rows: "models.QuerySet[M]", what: str, **by: Any) -> M:
    """Return the one row; raise 404/1300 when it is not in reach."""
    row = rows.filter(**by).first()
    if row is None:
        raise ApiError(NOT_FOUND_HERE, what=what)
    return row


def note(request: Request, *, what: str, id: object, changes: Sequence[str] = ()) -> None:  # noqa: A002  the log's word
    """Note for the audit log what is written."""
    audit.describe(request._request, resource_type=what, resource_id=str(id), changes=sorted(changes))  # noqa: SLF001

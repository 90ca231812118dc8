"""The base of management routes: permission by method, row tags, pages by offset."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, TypeVar, cast

from django.db import models
from rest_framework.request import Request
from rest_framework.response import Response

from analytics.api.caching.validators import lists, matches_strongly
from analytics.api.common import LIMIT_AND_OFFSET
from analytics.api.idempotency import once
from analytics.api.parameters import validate
from analytics.api.read_after import ReadsAfter
from analytics.storage.transactions import retried
from errors.catalog import NOT_FOUND_HERE, PRECONDITION_FAILED
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
    limit, offset = values["limit"], values["offset"]
    total = rows.count()
    items = [shown(one) for one in rows[offset : offset + limit]]
    pagination = {"total": total, "limit": limit, "offset": offset, "has_more": offset + len(items) < total}
    return Response({name: items, "pagination": pagination})


def found(rows: "models.QuerySet[M]", what: str, **by: Any) -> M:
    """Return the one row; raise 404/1300 when it is not in reach."""
    row = rows.filter(**by).first()
    if row is None:
        raise ApiError(NOT_FOUND_HERE, what=what)
    return row


def check_if_match(request: Request, version: int) -> None:
    """Raise 412/1404 when `If-Match` is sent and does not name the present version."""
    sent = request.headers.get("If-Match")
    if sent is not None and not matches_strongly(sent, row_tag(version)):
        raise ApiError(PRECONDITION_FAILED)


def row_tag(version: int) -> str:
    return f'"{version}"'


def tagged(request: Request, body: dict[str, Any], version: int, **reply: Any) -> Response:
    """Return the reply on one resource with its strong tag, or 304 to a client that has this version."""
    if request.method in ("GET", "HEAD") and lists(request.headers.get("If-None-Match", ""), row_tag(version)):
        response = Response(status=304)
    else:
        response = Response(body, **reply)
    response["ETag"] = row_tag(version)
    response.own_validators = True  # type: ignore[attr-defined]  # compared here
    response.row_tag = True  # type: ignore[attr-defined]  # never compressed: the tag is strong
    return response


def written(request: Request, make: Callable[[], Response]) -> Response:
    """Run a write in one transaction, tried again when others got in its way; a POST with `Idempotency-Key` once."""

    def in_transaction() -> Response:
        return retried(make)

    return once(request, in_transaction) if request.method == "POST" else in_transaction()


def note(request: Request, *, what: str, id: object, changes: Sequence[str] = ()) -> None:  # noqa: A002  the log's word
    """Note for the audit log what is written."""
    audit.describe(request._request, resource_type=what, resource_id=str(id), changes=sorted(changes))  # noqa: SLF001

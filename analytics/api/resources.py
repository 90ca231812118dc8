"""Resources that clients change: row tags, preconditions, writes that are one transaction, pages by offset."""

from collections.abc import Callable
from typing import Any, TypeVar

from django.db import models
from rest_framework.request import Request
from rest_framework.response import Response

from analytics.api.caching.validators import lists, matches_strongly
from analytics.api.idempotency import once
from analytics.storage.transactions import retried
from errors.catalog import PRECONDITION_FAILED
from errors.exceptions import ApiError

M = TypeVar("M", bound=models.Model)


def paged(
    name: str, rows: "models.QuerySet[M]", shown: Callable[[M], dict[str, Any]], *, limit: int, offset: int
) -> Response:
    """Return a page of `rows` as a list called `name`."""
    total = rows.count()
    items = [shown(one) for one in rows[offset : offset + limit]]
    pagination = {"total": total, "limit": limit, "offset": offset, "has_more": offset + len(items) < total}
    return Response({name: items, "pagination": pagination})


def check_if_match(sent: str | None, version: int) -> None:
    """Raise 412/1404 when an `If-Match` is `sent` and does not name the present version."""
    if sent is not None and not matches_strongly(sent, row_tag(version)):
        raise ApiError(PRECONDITION_FAILED)


def row_tag(version: int | str) -> str:
    return f'"{version}"'


def tagged(request: Request, body: dict[str, Any], version: int | str, **reply: Any) -> Response:
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

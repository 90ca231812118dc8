"""From any exception to an error of the catalogue: tables, and the code that reads them."""

from collections.abc import Callable, Iterator

import psycopg
import psycopg_pool
from django.conf import settings
from django.core.exceptions import (
    BadRequest,
    PermissionDenied,
    RequestDataTooBig,
    SuspiciousOperation,
)
from django.db import Error as DjangoDatabaseError
from django.db import InterfaceError, OperationalError
from django.http import Http404, UnreadablePostError
from django.http.multipartparser import MultiPartParserError
from rest_framework import exceptions as drf
from rest_framework import status

from errors import catalog
from errors.catalog import ErrorSpec
from errors.exceptions import ApiError

# SQLSTATE to error: the longest beginning that matches decides.
SQLSTATES: dict[str, ErrorSpec] = {
    "23505": catalog.DUPLICATE_KEY,
    "23503": catalog.UNKNOWN_REFERENCE,
    "22": catalog.DATABASE_CONSTRAINT_VIOLATION,
    "23502": catalog.DATABASE_CONSTRAINT_VIOLATION,
    "23514": catalog.DATABASE_CONSTRAINT_VIOLATION,
    "57014": catalog.OPERATION_TIMEOUT,
    "40001": catalog.CONCURRENCY_CONFLICT,
    "40P01": catalog.CONCURRENCY_CONFLICT,
    "08": catalog.DATABASE_CONNECTION_FAILED,
    "53300": catalog.DATABASE_CONNECTION_FAILED,
    "57P01": catalog.DATABASE_CONNECTION_FAILED,
    "57P02": catalog.DATABASE_CONNECTION_FAILED,
    "57P03": catalog.DATABASE_CONNECTION_FAILED,
    "": catalog.DATABASE_ERROR,
}

# Without a SQLSTATE there was no server to give one.
CONNECTION_FAULTS = (OperationalError, InterfaceError, psycopg.OperationalError, psycopg.InterfaceError)

# Code of a serializer's complaint to the sentence whose details are the complaint.
COMPLAINTS: dict[str, ErrorSpec] = {
    "required": catalog.MISSING_REQUIRED_FIELD,
    "null": catalog.FIELD_FORMAT_REFUSED,
    "blank": catalog.FIELD_FORMAT_REFUSED,
    "invalid": catalog.FIELD_FORMAT_REFUSED,
    "date": catalog.FIELD_FORMAT_REFUSED,
    "datetime": catalog.FIELD_FORMAT_REFUSED,
    "not_a_list": catalog.FIELD_FORMAT_REFUSED,
    "not_a_dict": catalog.FIELD_FORMAT_REFUSED,
    "empty": catalog.FIELD_SIZE_REFUSED,
    "max_length": catalog.FIELD_SIZE_REFUSED,
    "min_length": catalog.FIELD_SIZE_REFUSED,
    "": catalog.FIELD_VALUE_REFUSED,
}

# Status of an error that only says its status; others of 400 and above are 1200, of 500 and above 1900.
STATUSES: dict[int, ErrorSpec] = {
    401: catalog.MISSING_AUTHORIZATION,
    403: catalog.FORBIDDEN,
    404: catalog.RESOURCE_NOT_FOUND,
    405: catalog.METHOD_NOT_ALLOWED,
    429: catalog.RATE_LIMIT_EXCEEDED,
    503: catalog.SERVICE_UNAVAILABLE,
}


def from_status(code: int) -> ApiError:
    """Return the error of a reply of which only the status is known."""
    if code == status.HTTP_406_NOT_ACCEPTABLE:
        return ApiError(catalog.NOT_ACCEPTABLE, offered="application/json")
    if code == status.HTTP_413_REQUEST_ENTITY_TOO_LARGE:
        return ApiError(catalog.PAYLOAD_TOO_LARGE, limit=settings.MAX_BODY_BYTES)
    if code == status.HTTP_415_UNSUPPORTED_MEDIA_TYPE:
        return ApiError(catalog.UNSUPPORTED_MEDIA_TYPE, expected="application/json")
    server_side = code >= status.HTTP_500_INTERNAL_SERVER_ERROR
    return ApiError(STATUSES.get(code, catalog.INTERNAL_SERVER_ERROR if server_side else catalog.INVALID_REQUEST))


def from_sqlstate(sqlstate: str) -> ApiError:
    """Return the error of a five-character SQLSTATE."""
    return ApiError(SQLSTATES[max(filter(sqlstate.startswith, SQLSTATES), key=len)])


def _from_database(exc: BaseException) -> ApiError:
    driver = exc if isinstance(exc, psycopg.Error) else exc.__cause__
    if isinstance(driver, psycopg_pool.PoolTimeout | psycopg_pool.TooManyRequests):
        return ApiError(catalog.QUERY_TIMEOUT)
    if isinstance(driver, psycopg.Error) and driver.sqlstate:
        return from_sqlstate(driver.sqlstate)
    if isinstance(exc, CONNECTION_FAULTS):
        return ApiError(catalog.DATABASE_CONNECTION_FAILED)
    return ApiError(catalog.DATABASE_ERROR)


def _leaves(detail: object, path: tuple[str, ...] = ()) -> Iterator[tuple[str, drf.ErrorDetail]]:
    """Yield every complaint of a `ValidationError` with its dotted path."""
    if isinstance(detail, dict):
        for name, value in detail.items():
            yield from _leaves(value, path if name == "non_field_errors" else (*path, str(name)))
    elif isinstance(detail, list):
        for place, value in enumerate(detail):
            nested = isinstance(value, dict | list)
            yield from _leaves(value, (*path[:-1], f"{path[-1]}[{place}]") if nested and path else path)
    elif isinstance(detail, drf.ErrorDetail):
        yield ".".join(path), detail


def _from_validation(exc: BaseException) -> ApiError:
    """Return the first complaint: a client mends one thing at a time."""
    assert isinstance(exc, drf.ValidationError)
    field, complaint = next(_leaves(exc.detail), ("", drf.ErrorDetail("")))
    if not field:
        return ApiError(catalog.BODY_INVALID, details=str(complaint))
    spec = COMPLAINTS.get(complaint.code or "", COMPLAINTS[""])
    details = "" if spec is catalog.MISSING_REQUIRED_FIELD else str(complaint)
    return ApiError(spec, field=field, details=details)


def _from_throttled(exc: BaseException) -> ApiError:
    wait: int | None = getattr(exc, "wait", None)
    return ApiError(catalog.RATE_LIMIT_EXCEEDED, headers={"Retry-After": str(wait or 1)})


def _from_api_exception(exc: BaseException) -> ApiError:
    assert isinstance(exc, drf.APIException)
    return from_status(exc.status_code)


def _always(spec: ErrorSpec) -> Callable[[BaseException], ApiError]:
    return lambda _: ApiError(spec)


# The first class that an exception is an instance of decides, so the narrower ones come first.
TRANSLATIONS: tuple[tuple[type[BaseException], Callable[[BaseException], ApiError]], ...] = (
    (drf.ValidationError, _from_validation),
    (drf.Throttled, _from_throttled),
    (drf.NotAuthenticated, _always(catalog.MISSING_AUTHORIZATION)),
    (drf.AuthenticationFailed, _always(catalog.INVALID_TOKEN)),
    (drf.APIException, _from_api_exception),
    (Http404, _always(catalog.RESOURCE_NOT_FOUND)),
    (PermissionDenied, _always(catalog.FORBIDDEN)),
    (RequestDataTooBig, lambda _: from_status(status.HTTP_413_REQUEST_ENTITY_TOO_LARGE)),
    (SuspiciousOperation, _always(catalog.INVALID_REQUEST)),
    (BadRequest, _always(catalog.INVALID_REQUEST)),
    (MultiPartParserError, _always(catalog.INVALID_REQUEST)),
    (UnreadablePostError, _always(catalog.BODY_UNREADABLE)),
    (DjangoDatabaseError, _from_database),
    (psycopg.Error, _from_database),
)


def translate(exc: BaseException) -> ApiError:
    """Return the catalogue's error for any exception; what nobody foresaw is 1900."""
    if isinstance(exc, ApiError):
        return exc
    for kind, translation in TRANSLATIONS:
        if isinstance(exc, kind):
            return translation(exc)
    return ApiError(catalog.INTERNAL_SERVER_ERROR)

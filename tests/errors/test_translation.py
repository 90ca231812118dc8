import psycopg
import psycopg.errors
import psycopg_pool
import pytest
import structlog
from django import db
from django.core import exceptions as django_errors
from django.http import Http404, UnreadablePostError
from django.http.multipartparser import MultiPartParserError
from redis.exceptions import ConnectionError as RedisConnectionError
from rest_framework import exceptions as drf
from rest_framework.exceptions import ErrorDetail

from errors.catalog import MISSING_AUTHORIZATION
from errors.exceptions import ApiError
from errors.handler import to_api_error
from errors.metrics import ERRORS
from errors.translation import from_sqlstate, from_status, translate


def caused(exc, cause):
    exc.__cause__ = cause
    return exc


class Teapot(drf.APIException):
    status_code = 418


@pytest.mark.parametrize(
    ("exc", "code", "status"),
    [
        (ApiError(MISSING_AUTHORIZATION), 1000, 401),
        (drf.NotAuthenticated(), 1000, 401),
        (drf.AuthenticationFailed(), 1001, 401),
        (drf.PermissionDenied(), 1100, 403),
        (drf.Throttled(wait=7), 1500, 429),
        (drf.ParseError(), 1200, 400),
        (drf.UnsupportedMediaType("text/xml"), 1208, 415),
        (drf.NotAcceptable(), 1210, 406),
        (drf.MethodNotAllowed("PUT"), 1305, 405),
        (drf.NotFound(), 1300, 404),
        (Teapot(), 1200, 400),
        (drf.APIException(), 1900, 500),
        (Http404(), 1300, 404),
        (django_errors.PermissionDenied(), 1100, 403),
        (django_errors.RequestDataTooBig(), 1209, 413),
        (django_errors.SuspiciousOperation(), 1200, 400),
        (django_errors.DisallowedHost(), 1200, 400),
        (django_errors.BadRequest(), 1200, 400),
        (MultiPartParserError(), 1200, 400),
        (UnreadablePostError(), 1200, 400),
        (caused(db.IntegrityError(), psycopg.errors.UniqueViolation()), 1401, 409),
        (caused(db.OperationalError(), psycopg.errors.QueryCanceled()), 1801, 504),
        (psycopg.errors.NotNullViolation(), 1603, 409),
        (caused(db.OperationalError(), psycopg.OperationalError("could not connect to db.internal")), 1601, 503),
        (caused(db.InterfaceError(), psycopg.InterfaceError("the connection is closed")), 1601, 503),
        (db.OperationalError(), 1601, 503),
        (psycopg.OperationalError(), 1601, 503),
        (caused(db.OperationalError(), psycopg_pool.PoolTimeout()), 1602, 503),
        (psycopg_pool.TooManyRequests(), 1602, 503),
        (caused(db.ProgrammingError(), psycopg.errors.UndefinedTable()), 1600, 503),
        (db.DatabaseError(), 1600, 503),
        (RedisConnectionError(), 1900, 500),
        (KeyError("x"), 1900, 500),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, BaseException) else str(value),
)
def test_every_exception_has_its_error(exc, code, status):
    error = translate(exc)

    assert (error.spec.code, error.spec.status) == (code, status)


@pytest.mark.parametrize(
    ("sqlstate", "code"),
    [
        ("23505", 1401),
        ("23503", 1202),
        ("22001", 1603),
        ("22P02", 1603),
        ("23502", 1603),
        ("23514", 1603),
        ("57014", 1801),
        ("40001", 1402),
        ("40P01", 1402),
        ("08006", 1601),
        ("53300", 1601),
        ("57P01", 1601),
        ("57P02", 1601),
        ("57P03", 1601),
        ("57P04", 1600),
        ("40002", 1600),
        ("23P01", 1600),
        ("53200", 1600),
        ("XX000", 1600),
    ],
)
def test_every_sqlstate_has_its_error(sqlstate, code):
    assert from_sqlstate(sqlstate).spec.code == code


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (400, 1200),
        (401, 1000),
        (403, 1100),
        (404, 1300),
        (405, 1305),
        (406, 1210),
        (413, 1209),
        (415, 1208),
        (418, 1200),
        (429, 1500),
        (500, 1900),
        (503, 1902),
        (505, 1900),
    ],
)
def test_every_status_has_its_error(status, code):
    assert from_status(status).spec.code == code


@pytest.mark.parametrize(
    ("detail", "expected"),
    [
        ({"name": [ErrorDetail("gone", "required")]}, (1201, "name", "", "Field 'name' is required")),
        (
            {"a": {"b": [ErrorDetail("No.", "invalid")]}},
            (1203, "a.b", "No.", "Invalid format for field 'a.b': see the details"),
        ),
        (
            {"ids": [{}, {"id": [ErrorDetail("No.", "invalid_choice")]}]},
            (1202, "ids[1].id", "No.", "Invalid value for field 'ids[1].id': see the details"),
        ),
        (
            {"tags": [ErrorDetail("9 at most.", "max_length")]},
            (1205, "tags", "9 at most.", "Field 'tags' has too many or too few items: see the details"),
        ),
        (
            {"non_field_errors": [ErrorDetail("Both.", "x")]},
            (1200, "", "Both.", "The body is not valid: see the details"),
        ),
        ([ErrorDetail("Both.", "x")], (1200, "", "Both.", "The body is not valid: see the details")),
        ({}, (1200, "", "", "The body is not valid: see the details")),
    ],
)
def test_the_first_complaint_of_a_serializer_is_the_error(detail, expected):
    error = translate(drf.ValidationError(detail))

    assert (error.spec.code, error.field, error.details, error.message) == expected


@pytest.mark.parametrize(("wait", "header"), [(7.2, "8"), (0, "1"), (None, "1")])
def test_a_throttled_request_is_told_how_long_to_wait(wait, header):
    assert translate(drf.Throttled(wait=wait)).headers["Retry-After"] == header


def test_every_error_of_the_service_itself_is_logged_with_its_cause():
    fault = KeyError("insides")

    with structlog.testing.capture_logs() as lines:
        to_api_error(fault)

    assert lines == [
        {
            "event": "request_failed",
            "log_level": "error",
            "code": 1900,
            "error_code": "INTERNAL_SERVER_ERROR",
            "exc_info": fault,
        }
    ]


def test_an_error_of_the_client_is_not_logged():
    with structlog.testing.capture_logs() as lines:
        to_api_error(Http404())

    assert lines == []


def test_every_error_is_counted_by_its_number():
    before = ERRORS.labels(code=1300)._value.get()

    to_api_error(Http404())

    assert ERRORS.labels(code=1300)._value.get() - before == 1

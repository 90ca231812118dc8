"""Every row of the catalogue is met over HTTP, and every reply that is no success has the documented shape."""

import re

import psycopg_pool
import pytest
from django.db import OperationalError, connection, transaction
from django.test import Client
from jsonschema import Draft202012Validator

from analytics.api.caching import views
from errors.catalog import CATALOGUE
from errors.schema import COMPONENTS
from tests.observatory.accounts.credentials import client, error

ERROR = COMPONENTS["Error"]
PATHS = [
    ("GET", "/api/v1/traces"),
    ("GET", "/api/v1/metrics/performance"),
    ("POST", "/auth/token"),
    ("GET", "/api/v1/me"),
    ("GET", "/no-such-path"),
    ("POST", "/api/v1/traces"),
]
LONG = "x" * 100_000
HOSTILE = [
    {"Authorization": LONG},
    {"Authorization": "Bearer " + LONG},
    {"Authorization": "Bearer é"},
    {"Authorization": "Basic dXNlcjpwYXNz"},
    {"Authorization": "Bearer a, Bearer b"},
    {"Authorization": "Bearer \x00"},
    {"X-API-Key": LONG},
    {"X-API-Key": "ключ"},
    {"Authorization": "Bearer one", "X-API-Key": "two"},
    {"Accept": "text/html"},
    {"Accept": LONG},
    {"If-None-Match": LONG},
    {"If-None-Match": '"' + LONG + '"'},
    {"If-Modified-Since": LONG},
    {"If-Modified-Since": "Sat, 32 Foo 99999 99:99:99 GMT"},
    {"Cache-Control": LONG},
    {"X-Forwarded-For": LONG},
    {"X-Request-ID": LONG},
    {"Idempotency-Key": LONG},
    {"X-Read-After": LONG},
    {"traceparent": LONG},
    {"Host": "a b"},
    {"Origin": "null"},
    {"User-Agent": "\x00" + LONG},
]


@pytest.mark.parametrize(
    "headers", HOSTILE, ids=lambda one: " ".join(f"{name}:{value[:12]!r}" for name, value in one.items())
)
@pytest.mark.parametrize(("method", "path"), PATHS)
def test_no_header_makes_the_service_fail(tenant, headers, method, path):
    credential = {} if {"Authorization", "X-API-Key"} & headers.keys() else tenant.headers
    body = {"data": {}, "content_type": "application/json"} if method == "POST" else {}
    caller = Client(headers=credential | headers, raise_request_exception=False)
    reply = getattr(caller, method.lower())(path, **body)

    assert reply.status_code < 500
    if reply.status_code >= 400:
        assert list(Draft202012Validator(ERROR).iter_errors(reply.json())) == []


@pytest.mark.parametrize(
    "path", ["/%00", "/%ff%fe", "/api/v1/traces/%2e%2e%2f", "/api/v1//traces", "/api/v1/traces/", "/" + "a" * 9000]
)
def test_paths_that_mean_nothing_are_not_found(tenant, path):
    reply = client(**tenant.headers).get(path)

    assert (reply.status_code, reply.json()["error"]["code"]) in {(404, 1300), (404, 1301), (400, 1200)}


RAISE = "DO $$ BEGIN RAISE EXCEPTION 'db-7 is on fire' USING ERRCODE = '{}'; END $$"


@pytest.mark.parametrize(
    ("statement", "told"),
    [
        (RAISE.format("23505"), (409, 1401)),
        (RAISE.format("23503"), (400, 1202)),
        (RAISE.format("23514"), (409, 1603)),
        ("SELECT 'db-7'::int", (409, 1603)),
        (RAISE.format("40001"), (409, 1402)),
        (RAISE.format("40P01"), (409, 1402)),
        (RAISE.format("53300"), (503, 1601)),
        (RAISE.format("57P03"), (503, 1601)),
        ('SELECT 1 FROM "db-7"', (503, 1600)),
        ('SET LOCAL statement_timeout = 1; SELECT pg_sleep(5) AS "db-7"', (504, 1801)),
    ],
)
def test_what_the_server_refuses_is_told_by_its_row_and_in_its_words_alone(api, monkeypatch, statement, told):
    def refused(*_):
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)

    monkeypatch.setattr(views, "version_of", refused)
    reply = api.get("/api/v1/metrics/performance")

    assert (error(reply)[:2], b"db-7" in reply.content, b"SELECT" in reply.content) == (told, False, False)


@pytest.mark.parametrize(
    ("failure", "told"),
    [
        (psycopg_pool.PoolTimeout("db-7"), (503, 1602)),
        (OperationalError("db-7"), (503, 1601)),
        (KeyError("db-7"), (500, 1900)),
    ],
    ids=lambda one: type(one).__name__,
)
def test_what_goes_wrong_here_is_told_by_its_row(api, monkeypatch, failure, told):
    def failing(*_):
        raise failure

    monkeypatch.setattr(views, "version_of", failing)
    reply = api.get("/api/v1/metrics/performance")

    assert (error(reply)[:2], b"db-7" in reply.content) == (told, False)


def test_the_documentation_of_every_error_is_served():
    pages = {code: Client().get(f"/errors/{code}", headers={"Accept": "application/json"}) for code in CATALOGUE}

    assert {code for code, page in pages.items() if page.status_code != 200} == set()


def test_every_row_of_the_catalogue_is_raised_in_some_test():
    """Numbers stand in tests beside the replies that bear them; a row that none names is one that nothing raises."""
    from observatory.env import BASE_DIR  # noqa: PLC0415

    told = "\n".join(path.read_text() for path in (BASE_DIR / "tests").rglob("test_*.py"))
    named = {int(number) for number in re.findall(r"(?<![\d.])1[0-9]{3}(?![\d.])", told)}

    assert set(CATALOGUE) - named == set()

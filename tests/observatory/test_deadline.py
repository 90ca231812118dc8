from time import monotonic

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from analytics.storage.deadline import ending, limit_statements, statement_ms
from analytics.storage.transactions import retried
from tests.observatory.accounts.credentials import error


def test_a_reply_that_comes_too_late_is_no_reply(api, settings):
    settings.REQUEST_TIMEOUT_SECONDS = 0

    assert error(api.get("/api/v1/metrics/performance")) == (504, 1800)


def test_an_error_goes_as_it_is_however_late(api, settings):
    settings.REQUEST_TIMEOUT_SECONDS = 0

    assert error(api.get("/api/v1/metrics/performance?limit=1"))[:2] == (400, 1202)


def test_the_deadline_is_looked_at_between_steps(api, settings, monkeypatch):
    """The first step uses up the time; no further statement on spans or rollups is run."""
    settings.REQUEST_TIMEOUT_SECONDS = 30
    moments = iter([0.0, *[100.0] * 100])
    monkeypatch.setattr("analytics.storage.deadline.monotonic", lambda: next(moments))
    monkeypatch.setattr("observatory.middleware.deadline.monotonic", lambda: 0.0)
    with CaptureQueriesContext(connection) as queries:
        reply = api.get("/api/v1/metrics/performance")

    assert error(reply) == (504, 1800)
    assert [one["sql"] for one in queries.captured_queries if "llm_" in one["sql"]] == []


@pytest.mark.parametrize(("left", "longest"), [(30.0, 20_000), (4.0, 4_000)], ids=["as a rule", "little time left"])
def test_a_statement_may_take_as_long_as_its_class_and_the_deadline_admit(left, longest, monkeypatch):
    monkeypatch.setattr("analytics.storage.deadline.monotonic", lambda: 0.0)
    with ending(left):
        limit_statements(20_000)

        assert statement_ms() == longest
    assert statement_ms() is None


@pytest.mark.parametrize(
    ("method", "path", "longest"),
    [
        ("GET", "/api/v1/metrics/performance", 20_000),
        ("GET", "/api/v1/costs/summary", 20_000),
        ("GET", "/api/v1/models/compare?models=a,b", 25_000),
        ("POST", "/api/v1/traces/search", 25_000),
        ("POST", "/api/v1/metrics/query", 25_000),
    ],
)
def test_statements_of_routes_with_a_class_of_their_own_may_take_longer(api, monkeypatch, method, path, longest):
    told = []
    monkeypatch.setattr("analytics.api.views.limit_statements", told.append)
    api.generic(method, path, "{}" if method == "POST" else "", "application/json")

    assert told == [longest]


def test_the_server_is_told_how_long_a_statement_of_a_snapshot_may_take(django_db_setup, django_db_blocker):
    def limit():
        with connection.cursor() as cursor:
            cursor.execute("SHOW statement_timeout")
            return cursor.fetchone()[0]

    with django_db_blocker.unblock(), ending(monotonic() + 3600):
        limit_statements(1234)

        assert (retried(limit, snapshot=True), limit()) == ("1234ms", "0")

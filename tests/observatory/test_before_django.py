"""Questions that are asked again are answered by the server's process before Django has a part in them."""

import gzip

import pytest
import structlog
from django.db import OperationalError
from django.http import HttpResponse
from django.test import RequestFactory

from observatory.middleware.again import AskedAgainFirst
from tests.analytics.api.caching.conftest import PERFORMANCE
from tests.observatory.test_asked_again import OF_ONE_REPLY, _no_minute_ends, closed, hour
from tests.served import ClientHandler  # that of Django alone

__all__ = ["_no_minute_ends", "closed", "hour"]  # fixtures


class Served:
    """The service as a server runs it; `made` counts the requests that Django made something of."""

    def __init__(self, key):
        self.made, self._key, self._django = 0, key, ClientHandler()
        self._application = AskedAgainFirst(self._counted)

    def _counted(self, environ, start_response):
        self.made += 1
        response = self._django(environ)
        start_response(f"{response.status_code} {response.reason_phrase}", list(response.items()))
        return [response.content]

    def get(self, path, data, **headers):
        """Return status, headers and body of a reply."""
        begun = []
        environ = RequestFactory().get(path, data, headers={"X-API-Key": self._key} | headers).environ
        body = b"".join(self._application(environ, lambda status, told: begun.append((status, dict(told)))))
        ((status, told),) = begun
        return status, told, body


@pytest.fixture
def served(tenant, hour, monkeypatch):
    # The connection of a test is in a transaction, which no request of a server begins in.
    monkeypatch.setattr("observatory.middleware.again.close_old_connections", lambda: None)
    return Served(tenant.key)


def warm(served, hour, **headers):
    """Ask until the question is settled, count from there, and return the first reply, which went the long way."""
    first, *_ = [served.get(PERFORMANCE, hour, **headers) for _ in range(4)]
    served.made = 0
    return first


@pytest.mark.parametrize("headers", [{}, {"Accept-Encoding": "gzip"}], ids=["plain", "gzip"])
def test_a_server_gives_the_same_reply_without_django(served, hour, headers):
    status, told, body = warm(served, hour, **headers)
    again_status, again_told, again_body = served.get(PERFORMANCE, hour, **headers)

    assert served.made == 0
    assert again_status == status == "200 OK"
    assert again_told.keys() == told.keys() | {"Age"}
    alike = told.keys() - OF_ONE_REPLY - {"X-Cache"}
    assert {name: again_told[name] for name in alike} == {name: told[name] for name in alike}
    read = gzip.decompress if headers else bytes
    assert read(again_body) == read(body)


def test_a_client_of_a_server_that_has_it_is_told_so_without_django(served, hour):
    _, told, _ = warm(served, hour)
    replies = [served.get(PERFORMANCE, hour, **{"If-None-Match": told["ETag"]}) for _ in range(2)]

    assert [(status, body) for status, _, body in replies] == [("304 Not Modified", b"")] * 2
    assert served.made == 1  # the first of its status goes the long way
    assert replies[0][1].keys() == replies[1][1].keys()


def test_a_short_way_that_fails_costs_nobody_an_answer(served, hour, monkeypatch):
    warm(served, hour)
    monkeypatch.setattr("observatory.middleware.again.answered_again", lambda *_: 1 // 0)

    with structlog.testing.capture_logs() as lines:
        assert (served.get(PERFORMANCE, hour)[0], served.made) == ("200 OK", 1)
    assert "short way failed" in [one["event"] for one in lines]


def test_a_connection_that_broke_on_the_short_way_is_not_that_of_the_long(served, hour, monkeypatch):
    warm(served, hour)
    seen = []

    def broken(*_given):
        seen.append("broken")
        raise OperationalError

    monkeypatch.setattr("analytics.api.caching.views.version_of", broken)
    monkeypatch.setattr("observatory.middleware.again.close_old_connections", lambda: seen.append("looked after"))
    monkeypatch.setattr(served, "_django", lambda _environ: seen.append("long way") or HttpResponse())
    served.get(PERFORMANCE, hour)

    assert seen == ["looked after", "broken", "looked after", "long way"]

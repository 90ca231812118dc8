"""Questions that are asked again are answered as they were the first time, and judged as if they were new."""

import gzip
import json
from datetime import UTC, datetime, timedelta

import pytest
import structlog
from django.db import OperationalError
from django_redis import get_redis_connection

from observatory.accounts.generation import KEY
from observatory.accounts.models import ApiKey, Organisation
from observatory.middleware.again import AskedAgainMiddleware
from tests.analytics.api.caching.conftest import PERFORMANCE, TRACES, hour_of
from tests.analytics.api.payloads import NS, request, span
from tests.observatory.accounts.credentials import bearer, claims, error, post, signed

# gzip is padded at random.
OF_ONE_REPLY = {
    "Content-Length",
    "X-Request-ID",
    "Date",
    "Age",
    "X-RateLimit-Remaining",
    "X-RateLimit-Reset",
    "RateLimit",
}


@pytest.fixture
def closed():
    return (datetime.now(UTC).replace(minute=0, second=0, microsecond=0) - timedelta(hours=3)).timestamp() * NS


@pytest.fixture
def hour(api, closed):
    """The bounds of a full hour with spans, three hours ago."""
    spans = [span(start_ns=int(closed) + number * NS) for number in range(5)]
    assert api.post("/v1/traces", request(*spans), content_type="application/json").status_code == 200
    return hour_of(int(closed))


@pytest.fixture
def asking(api, hour):
    return api, hour


@pytest.fixture
def shortcuts(monkeypatch):
    """The statuses of replies that went the short way."""
    taken, again = [], AskedAgainMiddleware._again

    def counted(self, *given):
        response = again(self, *given)
        taken.append(response and response.status_code)
        return response

    monkeypatch.setattr(AskedAgainMiddleware, "_again", counted)
    return taken


def ask(client, path, data, *, times=4, **headers):
    """Ask again and again: the first verifies the credential, the second settles the question, the rest are short."""
    return [client.get(path, data, headers=headers) for _ in range(times)]


def told(reply):
    headers = {name: value for name, value in reply.items() if name not in OF_ONE_REPLY}
    return reply.status_code, headers, {name for name, _ in reply.items()}


@pytest.mark.parametrize(
    "headers",
    [{}, {"Accept-Encoding": "gzip"}, {"Origin": "https://there.example"}, {"Accept": "application/problem+json, */*"}],
    ids=lambda one: " ".join(one) or "plain",
)
@pytest.mark.parametrize("path", [PERFORMANCE, TRACES, "/api/v1/metrics/labels", "/api/v1/costs/summary"])
def test_a_reply_that_went_the_short_way_is_like_one_that_went_the_long(asking, shortcuts, monkeypatch, path, headers):
    api, hour = asking
    with monkeypatch.context() as closed_to_short_ways:
        closed_to_short_ways.setattr(AskedAgainMiddleware, "_again", lambda *_: None)
        *_, long = ask(api, path, hour, times=2, **headers)
    short = ask(api, path, hour, times=2, **headers)

    assert shortcuts == [200, 200]
    assert [told(one) for one in short] == [told(long)] * 2
    read = gzip.decompress if headers.get("Accept-Encoding") else bytes
    bodies = [json.loads(read(one.content)) for one in (long, *short)]
    for body in bodies:
        body.pop("meta", None)
    assert bodies == [bodies[0]] * 3


@pytest.mark.parametrize("by", ["ETag", "Last-Modified"])
def test_a_client_that_has_it_is_told_so_the_short_way(api, hour, shortcuts, by):
    *_, has = ask(api, PERFORMANCE, hour)
    condition = {"ETag": "If-None-Match", "Last-Modified": "If-Modified-Since"}[by]
    replies = ask(api, PERFORMANCE, hour, times=3, **{condition: has[by]})

    assert shortcuts[-2:] == [304, 304]
    assert [told(one) for one in replies] == [told(replies[0])] * 3
    assert (replies[-1].status_code, replies[-1].content) == (304, b"")


def test_a_change_of_a_closed_hour_is_seen_by_who_asks_again(api, hour, closed, shortcuts):
    ask(api, PERFORMANCE, hour)
    api.post("/v1/traces", request(span(start_ns=int(closed) + 60 * NS)), content_type="application/json")
    after = api.get(PERFORMANCE, hour)

    assert (after["X-Cache"], after.json()["request_count"], shortcuts[-1]) == ("MISS", 6, None)


def test_the_short_way_is_paid_for_too(api, hour, settings, shortcuts):
    settings.RATE_LIMIT_PER_MINUTE = settings.RATE_LIMIT_PER_MINUTE | {"developer": 5}
    replies = ask(api, PERFORMANCE, hour, times=8)

    # Six tokens, and another one every twelve seconds.
    assert [one.status_code for one in replies[:6]] == [200] * 6
    assert error(replies[-1])[:2] == (429, 1500)
    assert shortcuts[:4] == [200] * 4


def test_a_question_whose_reply_is_gone_is_charged_once(api, hour, shortcuts):
    *_, before = ask(api, PERFORMANCE, hour)
    redis = get_redis_connection("default")
    redis.delete(*redis.keys("llmo:reply:*"))
    after = api.get(PERFORMANCE, hour)

    # The bucket of a developer refills while the test runs; a second charge would show all the same.
    assert (after["X-Cache"], shortcuts[-1]) == ("MISS", None)
    assert int(after["X-RateLimit-Remaining"]) >= int(before["X-RateLimit-Remaining"]) - 1


@pytest.mark.parametrize("lost", [False, True], ids=["noted", "note lost"])
def test_a_revoked_token_is_refused_the_next_time_it_asks_again(tenant, hour, shortcuts, lost):
    token = signed(claims(tenant, permissions=["metrics:read"]))
    assert {one.status_code for one in ask(bearer(token), PERFORMANCE, hour)} == {200}
    post("/auth/revoke", {"token": token})
    if lost:
        get_redis_connection("default").delete(KEY)

    assert error(bearer(token).get(PERFORMANCE, hour)) == (401, 1004)


def test_a_server_that_was_restarted_with_an_old_generation_revives_no_token(tenant, hour):
    token = signed(claims(tenant, permissions=["metrics:read"]))
    ask(bearer(token), PERFORMANCE, hour)
    redis = get_redis_connection("default")
    old = redis.get(KEY)
    # As another process would do it: this one keeps what it remembers.
    post("/auth/revoke", {"token": token})
    redis.set(KEY, old)
    redis.connection_pool.disconnect()

    assert error(bearer(token).get(PERFORMANCE, hour)) == (401, 1004)


def test_a_key_is_refused_from_an_address_that_was_shut_out_since(tenant, api, hour, shortcuts):
    ask(api, PERFORMANCE, hour)
    Organisation.objects.filter(pk=tenant.organisation.pk).update(allowed_ips=["192.0.2.0/24"])

    assert error(api.get(PERFORMANCE, hour)) == (403, 1103)
    assert api.get(PERFORMANCE, hour, REMOTE_ADDR="192.0.2.7").status_code == 200


def test_a_key_that_lost_a_permission_is_refused(tenant, api, hour):
    ask(api, PERFORMANCE, hour)
    ApiKey.objects.update(permissions=["costs:read"])

    assert error(api.get(PERFORMANCE, hour))[:2] == (403, 1100)


def test_reads_that_are_audited_go_the_long_way(api, hour, settings, shortcuts):
    settings.AUDIT_READS = True
    ask(api, TRACES, hour)

    assert shortcuts == []


@pytest.mark.parametrize("headers", [{"Cache-Control": "no-cache"}, {"X-Read-After": "x"}])
def test_who_wants_more_than_the_usual_goes_the_long_way(api, hour, shortcuts, headers):
    ask(api, PERFORMANCE, hour)
    del shortcuts[:]
    api.get(PERFORMANCE, hour, headers=headers)

    assert shortcuts == []


def test_a_question_of_another_minute_is_a_new_one(api, hour, shortcuts, monkeypatch):
    ask(api, PERFORMANCE, {})
    later = datetime.now(UTC) + timedelta(minutes=1)
    del shortcuts[:]
    monkeypatch.setattr("django.utils.timezone.now", lambda: later)
    api.get(PERFORMANCE, {})

    assert shortcuts == []


def test_the_log_line_of_a_short_reply_names_its_request(api, hour, shortcuts):
    ask(api, PERFORMANCE, hour)
    with structlog.testing.capture_logs(processors=[structlog.contextvars.merge_contextvars]) as lines:
        reply = api.get(PERFORMANCE, hour)

    assert (shortcuts[-1], [(one["event"], one["request_id"], one["status"]) for one in lines]) == (
        200,
        [("request", reply["X-Request-ID"], 200)],
    )


def test_a_database_that_fails_on_the_short_way_is_told_the_long_way(api, hour, shortcuts, monkeypatch):
    def away(*_given):
        raise OperationalError

    ask(api, PERFORMANCE, hour)
    monkeypatch.setattr("analytics.api.caching.views.version_of", away)

    assert (error(api.get(PERFORMANCE, hour))[:2], shortcuts[-1]) == ((503, 1601), None)

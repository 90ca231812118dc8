"""Questions that are asked again are answered as they were the first time, and judged as if they were new."""

import gzip
import json
from datetime import UTC, datetime, timedelta
from time import monotonic, sleep
from types import SimpleNamespace

import pytest
import structlog
from django.db import OperationalError
from django_redis import get_redis_connection
from redis.connection import AbstractConnection as Connection

from analytics.api.caching import views
from observatory.accounts import generation
from observatory.accounts.generation import KEY
from observatory.accounts.models import ApiKey, Organisation, User
from observatory.database import tenancy
from observatory.middleware.again import AskedAgainFirst
from ratelimit.decision import Decision
from tests.analytics.api.caching.conftest import PERFORMANCE, TRACES, hour_of
from tests.analytics.api.payloads import NS, request, span
from tests.observatory.accounts.credentials import bearer, claims, error, post, signed, token_of

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


@pytest.fixture(autouse=True)
def _no_minute_ends(settings):
    """What is remembered is so until the next minute, which a test that asks again and again must not see begin."""
    settings.TIME_GRID_SECONDS = 3600


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
    taken, again = [], AskedAgainFirst._again

    def counted(*given):
        reply = again(*given)
        taken.append(reply and reply.status)
        return reply

    monkeypatch.setattr(AskedAgainFirst, "_again", staticmethod(counted))
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
@pytest.mark.parametrize(
    "path", [PERFORMANCE, TRACES, "/api/v1/metrics/labels", "/api/v1/costs/summary", "/api/v1/anomalies"]
)
def test_a_reply_that_went_the_short_way_is_like_one_that_went_the_long(asking, shortcuts, monkeypatch, path, headers):
    api, hour = asking
    with monkeypatch.context() as closed_to_short_ways:
        closed_to_short_ways.setattr(AskedAgainFirst, "_again", staticmethod(lambda *_: None))
        *_, long = ask(api, path, hour, times=2, **headers)
    short = ask(api, path, hour, times=2, **headers)

    assert shortcuts == [200, 200]
    assert [told(one) for one in short] == [told(long)] * 2
    read = gzip.decompress if long.get("Content-Encoding") else bytes
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
    asking = bearer(token)
    assert {one.status_code for one in ask(asking, PERFORMANCE, hour)} == {200}
    post("/auth/revoke", {"token": token})
    if lost:
        get_redis_connection("default").delete(KEY)

    assert (error(asking.get(PERFORMANCE, hour)), shortcuts[-1]) == ((401, 1004), None)


def test_a_server_that_was_restarted_with_an_old_generation_revives_no_token(tenant, hour, shortcuts):
    token = signed(claims(tenant, permissions=["metrics:read"]))
    asking = bearer(token)
    ask(asking, PERFORMANCE, hour)
    redis = get_redis_connection("default")
    old = redis.get(KEY)
    # As another process would do it: this one keeps what it remembers.
    post("/auth/revoke", {"token": token})
    redis.set(KEY, old)
    redis.connection_pool.disconnect()

    assert (error(asking.get(PERFORMANCE, hour)), shortcuts[-1]) == ((401, 1004), None)


def test_a_key_is_refused_from_an_address_that_was_shut_out_since(tenant, api, hour, shortcuts):
    ask(api, PERFORMANCE, hour)
    Organisation.objects.filter(pk=tenant.organisation.pk).update(allowed_ips=["192.0.2.0/24"])

    assert error(api.get(PERFORMANCE, hour)) == (403, 1103)
    assert api.get(PERFORMANCE, hour, REMOTE_ADDR="192.0.2.7").status_code == 200


@pytest.mark.parametrize(
    ("change", "refusal"),
    [
        (lambda: ApiKey.objects.update(permissions=["costs:read"]), (403, 1100)),
        (lambda: ApiKey.objects.update(revoked_at=datetime.now(UTC)), (401, 1003)),
        (lambda: ApiKey.objects.update(expires_at=datetime.now(UTC)), (401, 1003)),
        (lambda: ApiKey.objects.get().projects.set([]), (400, 1206)),
        (lambda: ApiKey.objects.update(allowed_ips=["192.0.2.0/24"]), (403, 1103)),
    ],
    ids=["permission lost", "revoked", "ended", "no project left", "address shut out"],
)
def test_a_key_that_was_changed_is_refused_the_next_time_it_asks_again(api, hour, shortcuts, change, refusal):
    ask(api, PERFORMANCE, hour)
    change()

    assert (error(api.get(PERFORMANCE, hour))[:2], shortcuts[-1]) == (refusal, None)


def test_a_user_who_was_shut_out_is_refused_the_next_time_it_asks_again(member, hour, shortcuts):
    asking = bearer(token_of(member("developer").user.username))
    ask(asking, PERFORMANCE, hour)
    User.objects.update(is_active=False)

    assert (error(asking.get(PERFORMANCE, hour)), shortcuts[-1]) == ((401, 1004), None)


@pytest.mark.parametrize("by", ["the key", "a token made from it"])
def test_what_ends_while_it_is_remembered_ends_in_time(tenant, hour, monkeypatch, by):
    key = ApiKey.objects.get()
    ends = datetime.now(UTC) + timedelta(seconds=30)
    ApiKey.objects.update(expires_at=ends)
    given = {"client_id": str(key.id), "client_secret": tenant.key}
    asking = bearer(tenant.key if by == "the key" else post("/auth/token", given).json()["access_token"])
    assert {one.status_code for one in ask(asking, PERFORMANCE, hour)} == {200}
    after = monotonic() + 31
    monkeypatch.setattr("observatory.accounts.leases.time", SimpleNamespace(monotonic=lambda: after))
    monkeypatch.setattr("django.utils.timezone.now", lambda: ends + timedelta(seconds=1))

    assert error(asking.get(PERFORMANCE, hour))[0] == 401


def test_another_tenant_that_asks_the_same_is_told_of_its_own(api, make_tenant, hour, shortcuts):
    ours, theirs = {}, make_tenant("globex").headers
    counts = [
        [one.json()["request_count"] for one in ask(api, PERFORMANCE, hour, **who)] for who in (ours, theirs, ours)
    ]

    assert (counts, shortcuts[-1]) == ([[5] * 4, [0] * 4, [5] * 4], 200)


def test_statements_of_the_short_way_see_the_rows_of_the_caller_alone(tenant, api, hour, shortcuts, monkeypatch):
    ask(api, PERFORMANCE, hour)
    seen, version_of = [], views.version_of

    def noting(*given):
        seen.append(tenancy._in_sight.get())
        return version_of(*given)

    monkeypatch.setattr(views, "version_of", noting)
    api.get(PERFORMANCE, hour)

    assert (seen, shortcuts[-1]) == ([str(tenant.organisation.pk)], 200)


def test_a_question_of_great_length_is_not_remembered(api, hour, shortcuts):
    ask(api, PERFORMANCE, hour, Accept="application/json" + ", text/x" * 1200)

    assert shortcuts == []


def test_no_reply_is_said_to_be_degraded_because_another_was(api, hour, shortcuts, monkeypatch):
    """The first reply goes the long way while its limits are decided by this process alone."""
    decide = Decision.headers
    ask(api, PERFORMANCE, {**hour, "granularity": "1hour"})
    with monkeypatch.context() as alone:
        alone.setattr(Decision, "headers", lambda self: decide(self) | {"X-RateLimit-Degraded": "true"})
        alone.setattr(AskedAgainFirst, "_again", staticmethod(lambda *_: None))
        assert api.get(PERFORMANCE, hour)["X-RateLimit-Degraded"] == "true"
    after = api.get(PERFORMANCE, hour)

    assert ("X-RateLimit-Degraded" in after, shortcuts[-1]) == (False, 200)


def test_a_change_that_redis_was_not_told_of_is_told_once_it_answers(db, settings):
    before = generation.current()
    settings.RATE_LIMIT_RETRY_SECONDS = 0
    alive, settings.CACHES = (
        settings.CACHES,
        {"default": settings.CACHES["default"] | {"LOCATION": "redis://127.0.0.1:1/0"}},
    )
    generation.renew()
    settings.CACHES = alive
    while generation._debt._is_seen_to:
        sleep(0.01)

    assert generation.current() not in (before, None)


def test_reads_that_are_audited_go_the_long_way(api, hour, settings, shortcuts):
    settings.AUDIT_READS = True
    ask(api, TRACES, hour)

    assert shortcuts == []


@pytest.mark.parametrize(
    "headers",
    [{"Cache-Control": "no-cache"}, {"X-Read-After": "x"}, {"Content-Encoding": "gzip"}, {"Content-Length": "2"}],
    ids=" ".join,
)
def test_who_wants_more_than_the_usual_goes_the_long_way(api, hour, shortcuts, headers):
    ask(api, PERFORMANCE, hour)
    del shortcuts[:]
    api.get(PERFORMANCE, hour, headers=headers)

    assert shortcuts == []


def test_a_question_that_is_asked_again_costs_one_round_trip_to_redis(api, hour, shortcuts, monkeypatch):
    """Charge, generation, kept reply: the commands of the short way go in one piece, and nothing else is asked."""
    ask(api, PERFORMANCE, hour)
    sent, send = [], Connection.send_packed_command
    monkeypatch.setattr(
        Connection, "send_packed_command", lambda self, *given, **how: sent.append(1) or send(self, *given, **how)
    )
    *_, known = ask(api, PERFORMANCE, hour, times=1)
    ask(
        api, PERFORMANCE, hour, times=1, **{"If-None-Match": known["ETag"]}
    )  # the first of its status goes the long way
    del sent[:]
    statuses = [
        api.get(PERFORMANCE, hour, headers=headers).status_code for headers in ({}, {"If-None-Match": known["ETag"]})
    ]

    assert (statuses, shortcuts[-2:], len(sent)) == ([200, 304], [200, 304], 2)


def test_a_question_of_another_minute_is_a_new_one(api, hour, shortcuts, monkeypatch, settings):
    settings.TIME_GRID_SECONDS = 60
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

import threading
import time

import pytest
from django.test import Client
from django_redis import get_redis_connection

from analytics.api import metrics as performance
from analytics.api.caching import store
from analytics.api.caching.entries import Entry
from analytics.storage.versions import RangeVersion
from observatory.accounts.services import api_key_create
from tests.analytics.api.caching.conftest import PERFORMANCE, TRACES, hour_of
from tests.analytics.api.payloads import NS, request, span


def told(reply):
    return reply.status_code, reply.get("X-Cache")


def test_the_second_reader_of_a_version_is_answered_from_redis(api, send, closed, analytic):
    send(span(start_ns=closed + NS))
    first = api.get(PERFORMANCE, hour_of(closed))
    with analytic() as statements:
        second = api.get(PERFORMANCE, hour_of(closed))

    assert (told(first), told(second), statements) == ((200, "MISS"), (200, "HIT"), [])
    assert (second.content, second["ETag"], "Age" in first, second["Age"]) == (first.content, first["ETag"], False, "0")


def test_an_enveloped_reply_from_redis_says_so_and_has_its_own_request_id(api, send, closed):
    send(*(span(start_ns=closed + number * NS) for number in range(3)))
    first = api.get(TRACES, {**hour_of(closed), "limit": 2})
    second = api.get(TRACES, {**hour_of(closed), "limit": 2})

    one, two = first.json(), second.json()
    assert (told(first), told(second), one["meta"].pop("cached"), two["meta"].pop("cached")) == (
        (200, "MISS"),
        (200, "HIT"),
        False,
        True,
    )
    assert (one["data"], one["pagination"], first["Link"]) == (two["data"], two["pagination"], second["Link"])
    assert one["meta"]["request_id"] != two["meta"]["request_id"] == second["X-Request-ID"]


def test_a_later_page_is_not_kept(api, send, closed):
    send(*(span(start_ns=closed + number * NS) for number in range(3)))
    cursor = api.get(TRACES, {**hour_of(closed), "limit": 2}).json()["pagination"]["cursor"]
    pages = [api.get(TRACES, {**hour_of(closed), "limit": 2, "cursor": cursor}) for _ in range(2)]

    assert [told(page) for page in pages] == [(200, "BYPASS")] * 2


def test_a_change_of_a_closed_hour_is_seen_at_once(api, send, closed):
    counts = []
    for number in range(3):
        send(span(start_ns=closed + number * NS))
        counts.append(api.get(PERFORMANCE, hour_of(closed)).json()["request_count"])

    assert counts == [1, 2, 3]


def test_an_open_range_is_looked_at_once_in_a_while(api, send, analytic, settings):
    settings.CACHE_OPEN_SECONDS = 600  # longer than any machine takes for two requests
    send(span())
    first = api.get(PERFORMANCE, {"start_time": "now-1d/d"})
    send(span())
    with analytic() as statements:
        second = api.get(PERFORMANCE, {"start_time": "now-1d/d"})

    assert (told(first), told(second), second["ETag"], statements) == ((200, "MISS"), (200, "HIT"), first["ETag"], [])


def test_of_two_that_look_at_once_the_first_one_speaks_for_both(db):
    one, two = (RangeVersion(text=text, newest=None) for text in "12")
    in_force = [store.sampled("llmo:version:test", known=None, exact=exact) for exact in (lambda: one, lambda: two)]

    assert in_force == [one, one]


@pytest.mark.parametrize("directive", ["no-cache", "no-store", "max-age=0, No-Cache"])
def test_who_asks_for_it_gets_the_exact_state_of_an_open_range(api, send, directive):
    send(span())
    api.get(PERFORMANCE)
    send(span())
    fresh = api.get(PERFORMANCE, headers={"Cache-Control": directive})

    assert (told(fresh), fresh.json()["request_count"]) == ((200, "BYPASS"), 2)


def test_who_has_written_reads_the_exact_state_and_may_keep_it_only_to_ask_again(api, send):
    send(span())
    api.get(PERFORMANCE)
    position = api.post("/v1/traces", request(span()), content_type="application/json")["X-Ingest-Position"]
    fresh = api.get(PERFORMANCE, headers={"X-Read-After": position})

    assert (fresh.json()["request_count"], fresh["Cache-Control"]) == (2, "private, no-cache")


def test_with_no_pause_every_request_looks_at_open_ranges(api, send, settings):
    settings.CACHE_OPEN_SECONDS = 0
    counts = []
    for _ in range(2):
        send(span())
        counts.append(api.get(PERFORMANCE).json()["request_count"])

    assert counts == [1, 2]


def test_a_reply_is_kept_for_those_alone_who_may_see_it(api, tenant, make_tenant, send, closed):
    send(span(start_ns=closed + NS))
    api.get(PERFORMANCE, hour_of(closed))

    def key(owner, **given):
        secret = api_key_create(organisation=owner.organisation, name="other", **given).secret
        return Client(headers={"X-API-Key": secret}).get(PERFORMANCE, hour_of(closed))

    same = key(tenant, projects=tenant.projects, permissions=["*"])
    fewer_permissions = key(tenant, projects=tenant.projects, permissions=["metrics:read"])
    other = make_tenant("other")
    stranger = key(other, projects=other.projects, permissions=["*"])

    assert [told(one) for one in (same, fewer_permissions, stranger)] == [(200, "HIT"), (200, "MISS"), (200, "MISS")]
    assert stranger.json()["request_count"] == 0


def test_a_body_that_is_too_large_is_not_kept(api, send, closed, settings):
    send(span(start_ns=closed + NS))
    settings.CACHE_MAX_ENTRY_BYTES = 10
    replies = [api.get(PERFORMANCE, hour_of(closed)) for _ in range(2)]

    assert [told(one) for one in replies] == [(200, "BYPASS")] * 2


def test_without_redis_every_request_is_computed(api, send, closed, settings):
    send(span(start_ns=closed + NS))
    settings.CACHES = {"default": {"BACKEND": "django_redis.cache.RedisCache", "LOCATION": "redis://127.0.0.1:1/0"}}
    replies = [api.get(PERFORMANCE, hour_of(closed)) for _ in range(2)]

    assert [(told(one), one.json()["request_count"], one["X-RateLimit-Degraded"]) for one in replies] == [
        ((200, "BYPASS"), 1, "true")
    ] * 2
    time.sleep(settings.RATE_LIMIT_RETRY_SECONDS)


@pytest.mark.parametrize(
    ("override", "seen"),
    [
        ({"ttl": 7}, ("private, max-age=7", True, True, "MISS")),
        ({"ttl": 0}, ("private, max-age=0", True, True, None)),
        ({"etag": False}, ("private, max-age=60", False, True, "MISS")),
        ({"last_modified": False}, ("private, max-age=60", True, False, "MISS")),
    ],
)
def test_settings_change_how_a_route_is_cached(api, settings, closed, override, seen):
    settings.CACHE_POLICY_OVERRIDES = {"/metrics/performance": override}
    reply = api.get(PERFORMANCE, hour_of(closed))

    assert (reply["Cache-Control"], "ETag" in reply, "Last-Modified" in reply, reply.get("X-Cache")) == seen


@pytest.mark.parametrize(("header", "missing"), [("If-None-Match", "etag"), ("If-Modified-Since", "last_modified")])
def test_a_validator_that_is_not_sent_is_not_compared(api, settings, closed, header, missing):
    settings.CACHE_POLICY_OVERRIDES = {"/metrics/performance": {missing: False}}
    given = {"If-None-Match": "*", "If-Modified-Since": "Sat, 01 Jan 2050 00:00:00 GMT"}[header]

    assert api.get(PERFORMANCE, hour_of(closed), headers={header: given}).status_code == 200


def test_a_public_project_may_be_kept_by_all(api, tenant, closed):
    tenant.projects[0].is_public = True
    tenant.projects[0].save()
    anonymous = Client().get(PERFORMANCE, hour_of(closed))

    assert anonymous["Cache-Control"] == "public, max-age=60"


def test_one_request_computes_and_the_others_wait_for_it(db):
    made = []

    def make():
        made.append(threading.get_ident())
        time.sleep(0.2)
        return Entry(version="1", made_at=0, body=b"{}")

    kept = []

    def join():
        kept.append(store.once("llmo:reply:test", version="1", ttl=60, make=make).outcome)

    threads = [threading.Thread(target=join) for _ in range(8)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()

    assert (len(made), sorted(kept)) == (1, ["hit"] * 7 + ["miss"])


def test_who_has_waited_long_enough_computes_for_itself(db, settings):
    settings.CACHE_WAIT_SECONDS = 0
    get_redis_connection("default").set("llmo:reply:test:lock", "another's", px=60_000)

    kept = store.once("llmo:reply:test", version="1", ttl=60, make=lambda: Entry(version="1", made_at=0, body=b"{}"))

    assert (kept.outcome, get_redis_connection("default").get("llmo:reply:test:lock")) == ("miss", b"another's")


def test_a_computation_that_fails_lets_the_next_one_try(db):
    def fails():
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        store.once("llmo:reply:test", version="1", ttl=60, make=fails)

    assert get_redis_connection("default").exists("llmo:reply:test:lock") == 0


def test_an_entry_of_another_version_does_not_count(db):
    entry = Entry(version="1", made_at=1.5, body=b"{}", headers={"Link": "x"})

    assert (Entry.read(entry.as_bytes(), version="1"), Entry.read(entry.as_bytes(), version="2")) == (entry, None)


def test_a_question_that_fails_is_paid_for_and_not_kept(api, settings):
    settings.RATE_LIMIT_PER_MINUTE = settings.RATE_LIMIT_PER_MINUTE | {"developer": 10}
    replies = [api.get(PERFORMANCE, {"granularity": "1year"}) for _ in range(2)]

    assert [(one.status_code, one["X-RateLimit-Remaining"]) for one in replies] == [(400, "11"), (400, "10")]
    assert performance.PerformanceView.policy().ttl == 60


def test_a_policy_of_no_route_stops_the_start(settings):
    from django.core.checks import run_checks  # noqa: PLC0415

    settings.CACHE_POLICY_OVERRIDES = {"/metrics/performances": {"ttl": 1}}

    assert [one.id for one in run_checks()] == ["analytics.E001"]

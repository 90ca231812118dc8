"""RFC 9110 over HTTP: the table of preconditions, and what a tag stands for."""

import time

import pytest
from django.utils.http import http_date, parse_http_date

from observatory.accounts.models import Project
from tests.analytics.api.caching.conftest import PERFORMANCE, TRACES, hour_of
from tests.analytics.api.payloads import NS, request, span

DAY = 86_400


@pytest.fixture
def asked(api, send, closed):
    """Return a function that asks for figures of a closed hour with one call in it."""
    send(span(start_ns=closed + NS))

    def ask(*, method="GET", path=PERFORMANCE, client=api, bounds=None, query="", **headers):
        bounds = "&".join(f"{name}={value.replace('+', '%2B')}" for name, value in (bounds or hour_of(closed)).items())
        return client.generic(method, f"{path}?{bounds}{query}", headers=headers)

    return ask


def dated(reply, *, seconds=0):
    return http_date(parse_http_date(reply["Last-Modified"]) + seconds)


# What is sent, made of the first reply, and what comes of it.
TABLE = [
    ({}, 200),
    ({"If-None-Match": lambda reply: reply["ETag"]}, 304),
    ({"If-None-Match": lambda reply: f"W/{reply['ETag']}"}, 304),
    ({"If-None-Match": lambda reply: f'"other", {reply["ETag"]}'}, 304),
    ({"If-None-Match": lambda reply: f'W/"other",W/{reply["ETag"]}'}, 304),
    ({"If-None-Match": lambda _: "*"}, 304),
    ({"If-None-Match": lambda _: '"other"'}, 200),
    ({"If-None-Match": lambda reply: f',"other" ,, {reply["ETag"]} ,'}, 304),
    ({"If-None-Match": lambda reply: f"other, {reply['ETag']}"}, 200),
    ({"If-None-Match": lambda reply: f"{reply['ETag']} {reply['ETag']}"}, 200),
    ({"If-None-Match": lambda reply: reply["ETag"], "If-Modified-Since": lambda _: "nonsense"}, 304),
    ({"If-None-Match": lambda _: "*", "If-Modified-Since": lambda reply: dated(reply, seconds=-DAY)}, 304),
    ({"If-None-Match": lambda _: '"other"', "If-Modified-Since": dated}, 200),
    ({"If-None-Match": lambda reply: reply["ETag"].strip('"')}, 200),
    ({"If-None-Match": lambda reply: f"*, {reply['ETag']}"}, 200),
    ({"If-None-Match": lambda _: "", "If-Modified-Since": dated}, 200),
    ({"If-None-Match": lambda _: "unquoted", "If-Modified-Since": dated}, 200),
    ({"If-Modified-Since": dated}, 304),
    ({"If-Modified-Since": lambda reply: dated(reply, seconds=-1)}, 200),
    ({"If-Modified-Since": lambda _: "yesterday"}, 200),
    ({"If-Modified-Since": lambda _: "2026-01-01T00:00:00Z"}, 200),
    ({"If-Modified-Since": lambda _: http_date(time.time() + DAY)}, 200),
    ({"If-Match": lambda _: '"other"'}, 200),
    ({"If-Unmodified-Since": lambda _: "Sat, 01 Jan 2000 00:00:00 GMT"}, 200),
]


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize(("sent", "status"), TABLE)
def test_preconditions_are_judged_as_rfc_9110_says(asked, method, sent, status):
    first = asked()
    again = asked(method=method, **{name: made(first) for name, made in sent.items()})

    assert (again.status_code, again["ETag"], again["Last-Modified"]) == (status, first["ETag"], first["Last-Modified"])


@pytest.mark.parametrize("path", [PERFORMANCE, TRACES])
def test_a_304_runs_no_analytic_statement_and_carries_the_headers_of_the_200(asked, analytic, path):
    first = asked(path=path)
    with analytic() as statements:
        again = asked(path=path, **{"If-None-Match": first["ETag"]})

    kept = ["ETag", "Last-Modified", "Cache-Control", "X-RateLimit-Limit", "RateLimit-Policy"]
    assert (again.status_code, again.content, statements) == (304, b"", [])
    assert [again[name] for name in kept] == [first[name] for name in kept]
    assert set(again["Vary"].split(", ")) == set(first["Vary"].split(", "))
    assert {"X-RateLimit-Remaining", "X-RateLimit-Reset", "RateLimit", "X-Request-ID"} <= again.headers.keys()


def test_a_304_of_a_trace_reads_no_span(api, asked, analytic):
    trace = asked(path=TRACES).json()["data"][0]["trace_id"]
    first = api.get(f"{TRACES}/{trace}")
    with analytic() as statements:
        again = api.get(f"{TRACES}/{trace}", headers={"If-None-Match": first["ETag"]})

    assert (again.status_code, first["ETag"].startswith("W/"), statements) == (304, True, [])


def test_a_trace_changes_with_its_spans(api, asked, send, closed):
    trace = asked(path=TRACES).json()["data"][0]["trace_id"]
    first = api.get(f"{TRACES}/{trace}")
    send(span(traceId=trace, start_ns=closed + 2 * NS))

    assert api.get(f"{TRACES}/{trace}", headers={"If-None-Match": first["ETag"]}).status_code == 200


def test_an_absent_trace_is_never_known(api):
    assert api.get(f"{TRACES}/{'0' * 32}", headers={"If-None-Match": "*"}).status_code == 404


def test_one_that_takes_gzip_gets_the_weak_tag_of_the_same_digits(asked):
    strong = asked()["ETag"]
    packed = asked(**{"Accept-Encoding": "gzip"})
    again = asked(**{"Accept-Encoding": "gzip", "If-None-Match": packed["ETag"]})

    assert (packed["ETag"], packed["Content-Encoding"], again.status_code, again["ETag"]) == (
        f"W/{strong}",
        "gzip",
        304,
        f"W/{strong}",
    )


def test_a_refused_request_is_never_304(asked, client):
    statuses = [
        asked(query="&limit=1", **{"If-None-Match": "*"}).status_code,
        asked(client=client, **{"If-None-Match": "*"}).status_code,
        asked(query="&project_id=other", **{"If-None-Match": "*"}).status_code,
    ]

    assert statuses == [400, 401, 403]


def test_a_late_span_inside_the_range_changes_the_tag_and_one_outside_does_not(asked, send, closed):
    first = asked()["ETag"]
    send(span(start_ns=closed + 3600 * NS))
    after_outside = asked()["ETag"]
    send(span(start_ns=closed + 5 * NS))

    assert (after_outside == first, asked()["ETag"] == first) == (True, False)


def test_a_refresh_of_the_rollups_changes_no_tag(asked):
    from analytics.jobs import rollups  # noqa: PLC0415  jobs are registered when they are imported

    first = asked()["ETag"]
    assert rollups() > 0

    assert asked()["ETag"] == first


@pytest.mark.parametrize("query", ["&model=gpt-4o", "&granularity=1day", "&fields=request_count"])
def test_another_question_has_another_tag(asked, query):
    assert asked(query=query)["ETag"] != asked()["ETag"]


def test_the_same_question_in_other_words_has_the_same_tag(asked, closed):
    bounds = hour_of(closed)
    spelled = {"from": bounds["start_time"].replace("+00:00", "Z"), "to": bounds["end_time"]}

    assert asked(bounds=spelled)["ETag"] == asked()["ETag"]


def test_an_alias_has_the_tag_of_its_route(asked):
    assert asked(path="/api/v1/analytics/performance")["ETag"] == asked()["ETag"]


def test_another_tenant_has_another_tag(asked, make_tenant, client, closed):
    from django.test import Client  # noqa: PLC0415

    other = Client(headers=make_tenant("other").headers)

    assert asked(client=other)["ETag"] != asked()["ETag"]


def test_before_the_first_write_the_project_itself_is_what_was_modified(api, tenant, closed):
    reply = api.get(PERFORMANCE, hour_of(closed - 90 * DAY * NS))

    created = Project.objects.get().created_at
    assert parse_http_date(reply["Last-Modified"]) == int(created.timestamp())


def test_a_range_that_moves_was_modified_in_the_minute_that_runs(api, tenant):
    reply = api.get(PERFORMANCE)

    assert 0 <= time.time() - parse_http_date(reply["Last-Modified"]) < 120


def test_a_post_ignores_preconditions(api):
    reply = api.post(
        "/v1/traces", request(span()), content_type="application/json", headers={"If-None-Match": "*", "If-Match": "x"}
    )

    assert reply.status_code == 200

"""Pages of lists: over several projects, of one trace, and with cursors that are bound and end."""

from datetime import timedelta

import pytest
from django.test import Client

from analytics.queries import cursors
from tests.analytics.api.payloads import NS, now_ns, request, span

LIST = "/api/v1/traces"
TRACE = "ab" * 16


def error(reply):
    body = reply.json()["error"]
    return reply.status_code, body["code"], body.get("field")


@pytest.fixture
def twins(make_tenant):
    """A client of two projects that hold the same spans, as two exporters of one service send them."""
    tenant = make_tenant(projects=("one", "two"))
    client = Client(headers=tenant.headers)
    start = now_ns() - 600 * NS
    spans = [
        span(traceId=TRACE, spanId=f"{number + 1:016x}", start_ns=start + number // 2 * NS, duration_ms=5)
        for number in range(5)
    ]
    for project in tenant.projects:
        deliver(client, project.slug, *spans)
    return client


def deliver(client, project, *spans):
    headers = {"X-Project-ID": project}
    reply = client.post("/v1/traces", request(*spans), content_type="application/json", headers=headers)
    assert reply.status_code == 200


def walk(client, url, **query):
    """Return the items of all pages."""
    found, cursor = [], None
    for _ in range(50):
        reply = client.get(url, query | ({"cursor": cursor} if cursor else {})).json()
        found += reply["data"]
        cursor = reply["pagination"].get("cursor")
        if cursor is None:
            return found
    raise AssertionError("the walk has no end")


@pytest.mark.parametrize("order", ["asc", "desc"])
@pytest.mark.parametrize("sort", ["ts", "trace_id", "span_id", "duration_ms", "ttft_ms", "total_cost_usd", "model"])
def test_pages_over_projects_with_the_same_spans_are_the_whole_list(twins, sort, order):
    query = {"sort_by": sort, "sort_order": order, "fields": "span_id,project_id"}
    whole = twins.get(LIST, query).json()["data"]

    assert len({tuple(one.values()) for one in whole}) == 10
    for limit in (1, 3):
        assert walk(twins, LIST, **query, limit=limit) == whole


def test_a_cursor_belongs_to_the_projects_it_was_made_over(twins):
    cursor = twins.get(LIST, {"limit": 3}).json()["pagination"]["cursor"]

    assert twins.get(LIST, {"limit": 3, "project_id": "two,one", "cursor": cursor}).status_code == 200
    assert error(twins.get(LIST, {"limit": 3, "project_id": "two", "cursor": cursor})) == (400, 1207, "cursor")


def test_pages_of_a_trace_stay_in_the_project_of_the_first(twins):
    url, fields = f"{LIST}/{TRACE}/spans", "span_id,project_id"
    first = twins.get(url, {"limit": 2, "fields": fields}).json()
    project = first["data"][0]["project_id"]
    slug = {twins.get(LIST, {"project_id": name}).json()["data"][0]["project_id"]: name for name in ("one", "two")}
    (other,) = slug.keys() - {project}
    deliver(twins, slug[other], span(traceId=TRACE, start_ns=now_ns() - 10 * NS))

    assert twins.get(url, {"limit": 1, "fields": "project_id"}).json()["data"] == [{"project_id": other}]
    second = twins.get(url, {"limit": 9, "fields": fields, "cursor": first["pagination"]["cursor"]}).json()
    assert [(one["span_id"], one["project_id"]) for one in first["data"] + second["data"]] == [
        (f"{number + 1:016x}", project) for number in range(5)
    ]


@pytest.mark.parametrize("narrowed", [{"project_id": "one"}, {"project_id": "two"}])
def test_a_cursor_of_a_trace_is_refused_in_another_scope(twins, narrowed):
    url = f"{LIST}/{TRACE}/spans"
    cursor = twins.get(url, {"limit": 2}).json()["pagination"]["cursor"]

    assert error(twins.get(url, {"limit": 2, "cursor": cursor} | narrowed)) == (400, 1207, "cursor")


def test_a_cursor_of_a_trace_is_refused_by_another_trace_and_another_list(twins):
    other = "cd" * 16
    deliver(twins, "one", span(traceId=other), span(traceId=other))
    cursor = twins.get(f"{LIST}/{TRACE}/spans", {"limit": 1}).json()["pagination"]["cursor"]

    for url in (f"{LIST}/{other}/spans", LIST):
        assert error(twins.get(url, {"limit": 1, "cursor": cursor})) == (400, 1207, "cursor")


@pytest.mark.parametrize("url", [LIST, f"{LIST}/{TRACE}/spans", "/api/v1/users", "/api/v1/sessions"])
def test_a_cursor_ends_a_day_after_its_first_page(api, send, monkeypatch, url):
    send(*(span(traceId=TRACE, attributes={"user.id": name, "session.id": name}) for name in "abc"))
    first = api.get(url, {"limit": 1}).json()["pagination"]["cursor"]
    second = api.get(url, {"limit": 1, "cursor": first}).json()["pagination"]["cursor"]
    monkeypatch.setattr(cursors, "GOOD_FOR", timedelta(days=-1))

    for cursor in (first, second):
        reply = api.get(url, {"limit": 1, "cursor": cursor})
        assert (error(reply), "expired" in reply.json()["error"]["message"]) == ((400, 1207, "cursor"), True)

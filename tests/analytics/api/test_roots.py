"""What is said of a span by others of its trace, wherever in time they are: whether it is a root, its children."""

from datetime import UTC, datetime

import pytest
from django.test import Client

from tests.analytics.api.payloads import NS, now_ns, request, span

LIST, SESSIONS = "/api/v1/traces", "/api/v1/sessions"
TRACE, ROOT, CHILD = "ab" * 16, "11" * 8, "22" * 8
HOUR = 3600 * NS


@pytest.fixture
def ago():
    """Return a function of hours that gives that many before the present full hour, in ns."""
    hour = now_ns() // HOUR * HOUR
    return lambda hours: hour - int(hours * HOUR)


def names(reply):
    return [one["span_name"] for one in reply.json()["data"]]


def child(ago, hours, **more):
    return span(name="child", traceId=TRACE, spanId=CHILD, parentSpanId=ROOT, start_ns=ago(hours), **more)


def root(ago, hours, **more):
    return span(name="root", traceId=TRACE, spanId=ROOT, start_ns=ago(hours), **more)


@pytest.mark.parametrize("hours", [30, 24 * 5, 24 * 40])
def test_a_parent_is_known_however_far_from_its_child_it_is(api, send, ago, hours):
    send(root(ago, hours), child(ago, 2.5))
    asked = {"scope": "roots", "start_time": "now-4h"}

    assert names(api.get(LIST, asked)) == []
    assert api.get(f"{LIST}/stats", asked).json()["data"]["total_count"] == 0
    assert names(api.get(LIST, {"scope": "roots", "start_time": "now-60d"})) == ["root"]


def test_a_later_parent_is_known_too(api, send, ago):
    send(child(ago, 24 * 5), root(ago, 2))

    assert names(api.get(LIST, {"scope": "roots", "start_time": "now-6d", "end_time": "now-4d"})) == []


def test_a_span_of_another_trace_or_project_is_no_parent(api, send, ago):
    send(child(ago, 2.5), span(name="other", spanId=ROOT, start_ns=ago(24 * 3)))

    assert names(api.get(LIST, {"scope": "roots", "start_time": "now-4h"})) == ["child"]


def test_a_span_that_names_itself_as_its_parent_is_a_root_and_no_child(api, send, ago):
    send(
        span(name="itself", traceId=TRACE, spanId=ROOT, parentSpanId=ROOT, start_ns=ago(1)),
        child(ago, 1.5),  # starts earlier, as a clock of another machine says
    )
    (listed,) = api.get(LIST, {"scope": "roots", "include": "children"}).json()["data"]
    detail = api.get(f"{LIST}/{TRACE}", {"include": "children"}).json()["data"]
    spans = api.get(f"{LIST}/{TRACE}/spans").json()["data"]

    assert (listed["span_name"], [one["span_name"] for one in listed["spans"]]) == ("itself", ["child"])
    assert detail["span_name"] == "itself"
    for told in (detail["spans"], spans):
        assert {one["span_name"]: one["depth"] for one in told} == {"itself": 0, "child": 1}


def bounds(ago, first, last):
    def told(hours):
        return datetime.fromtimestamp(ago(hours) // NS, tz=UTC).isoformat().replace("+00:00", "Z")

    return {"start_time": told(first), "end_time": told(last)}


@pytest.mark.parametrize("hours", [24 * 3, 6, 0.5])
def test_a_list_of_roots_learns_of_a_parent_outside_its_range(api, send, ago, hours):
    closed = bounds(ago, 3, 2) | {"scope": "roots"}
    send(child(ago, 2.5))
    first, figures = api.get(LIST, closed), api.get(f"{LIST}/stats", closed)
    assert (names(first), figures.json()["data"]["total_count"]) == (["child"], 1)
    send(root(ago, hours))

    for url, before in ((LIST, first), (f"{LIST}/stats", figures)):
        again = api.get(url, closed, headers={"If-None-Match": before["ETag"]})
        assert (again.status_code, again["ETag"] != before["ETag"]) == (200, True)
    assert names(api.get(LIST, closed)) == []


def test_a_search_of_roots_learns_of_a_parent_outside_its_range(api, send, ago):
    body = bounds(ago, 3, 2) | {"scope": "roots"}
    send(child(ago, 2.5))
    ask = lambda: names(api.post(f"{LIST}/search", body, content_type="application/json"))  # noqa: E731
    assert ask() == ["child"]
    send(root(ago, 6))

    assert ask() == []


@pytest.mark.parametrize("hours", [24 * 3, 6, 0.5])
def test_children_outside_the_range_are_told_once_they_are_there(api, send, ago, hours):
    closed = bounds(ago, 3, 2) | {"include": "children"}
    tool = {
        "gen_ai.operation.name": "execute_tool",
        "gen_ai.usage.input_tokens": None,
        "gen_ai.usage.output_tokens": None,
    }
    send(root(ago, 2.5))
    first = api.get(LIST, closed)
    send(child(ago, hours, attributes=tool))  # nothing is counted otherwise for it
    again = api.get(LIST, closed, headers={"If-None-Match": first["ETag"]})

    assert [one["spans"] for one in first.json()["data"]] == [[]]
    assert (again.status_code, again["X-Cache"]) == (200, "MISS")
    assert [[child["span_name"] for child in one["spans"]] for one in again.json()["data"]] == [["child"]]


def test_the_traces_of_a_session_learn_of_a_parent_outside_its_range(api, send, ago):
    closed = bounds(ago, 3, 2)
    send(child(ago, 2.5, attributes={"session.id": "s-1"}))
    first = api.get(f"{SESSIONS}/s-1", closed)
    figures = api.get(f"{SESSIONS}/s-1", closed | {"fields": "request_count"})
    send(root(ago, 6))
    again = api.get(f"{SESSIONS}/s-1", closed, headers={"If-None-Match": first["ETag"]})

    assert [one["span_name"] for one in first.json()["data"]["traces"]] == ["child"]
    assert (again.status_code, again.json()["data"]["traces"]) == (200, [])
    unchanged = {"If-None-Match": figures["ETag"]}
    assert api.get(f"{SESSIONS}/s-1", closed | {"fields": "request_count"}, headers=unchanged).status_code == 304


def test_a_list_of_spans_alone_does_not_change_with_what_is_outside_its_range(api, send, ago):
    closed = bounds(ago, 3, 2)
    send(child(ago, 2.5))
    first = api.get(LIST, closed)
    send(span(start_ns=ago(6)))

    assert api.get(LIST, closed, headers={"If-None-Match": first["ETag"]}).status_code == 304


def test_lists_of_different_ranges_are_different_replies(api, send, ago):
    send(child(ago, 2.5))
    replies = [api.get(LIST, bounds(ago, *one) | {"scope": "roots"}) for one in ((3, 2), (4, 3), (3, 1))]

    assert [names(one) for one in replies] == [["child"], [], ["child"]]
    assert len({one["ETag"] for one in replies}) == 3


def test_a_trace_learns_of_a_link_from_another_project_and_another_day(make_tenant, ago):
    client = Client(headers=make_tenant(projects=("one", "two")).headers)

    def deliver(project, one):
        headers = {"X-Project-ID": project}
        reply = client.post("/v1/traces", request(one), content_type="application/json", headers=headers)
        assert reply.status_code == 200

    deliver("one", root(ago, 2))
    url = f"{LIST}/{TRACE}?fields=linked_from.trace_id"
    first = client.get(url)
    deliver("two", span(traceId="cd" * 16, start_ns=ago(24 * 5), links=[{"traceId": TRACE, "spanId": ROOT}]))
    again = client.get(url, headers={"If-None-Match": first["ETag"]})

    assert first.json()["data"] == {"linked_from": []}
    assert (again.status_code, again.json()["data"]) == (200, {"linked_from": [{"trace_id": "cd" * 16}]})
    assert client.get(url, headers={"If-None-Match": again["ETag"]}).status_code == 304

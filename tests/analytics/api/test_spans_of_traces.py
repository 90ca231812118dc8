"""The spans of one trace with their places, and the links between traces."""

from tests.analytics.api.asking import LIST, TRACE
from tests.analytics.api.payloads import NS, now_ns, span


def test_the_spans_of_a_trace_page_with_their_places(api, send):
    start = now_ns() - 60 * NS
    root = span(name="root", traceId=TRACE, start_ns=start, duration_ms=1000,
                attributes={"gen_ai.usage.input_tokens": None, "gen_ai.usage.output_tokens": None,
                            "gen_ai.operation.name": "invoke_agent"})  # fmt: skip
    send(root, *(span(name=f"call {number}", traceId=TRACE, parentSpanId=root["spanId"], duration_ms=200,
                      start_ns=start + (number + 1) * NS // 4) for number in range(3)))  # fmt: skip
    url, fields = (
        f"{LIST}/{TRACE}/spans",
        "span_name,depth,self_time_ms,subtree_cost_usd,subtree_tokens,on_critical_path",
    )
    first = api.get(url, {"limit": 3, "fields": fields})
    second = api.get(first["Link"][1:].split(">")[0].removeprefix("http://testserver"))
    assert [*first.json()["data"], *second.json()["data"]] == [
        {"span_name": "root", "depth": 0, "self_time_ms": 400, "subtree_cost_usd": 0.0225, "subtree_tokens": 4500,
         "on_critical_path": True},
        *({"span_name": f"call {number}", "depth": 1, "self_time_ms": 200, "subtree_cost_usd": 0.0075,
           "subtree_tokens": 1500, "on_critical_path": True} for number in range(3)),
    ]  # fmt: skip
    assert "events" not in api.get(url).json()["data"][0]
    assert api.get(url, {"limit": 1, "include": "total"}).json()["pagination"]["total"] == 4
    inline = api.get(f"{LIST}/{TRACE}", {"include": "children"}).json()["data"]["spans"]
    assert [one["depth"] for one in inline] == [0, 1, 1, 1]


def test_links_are_followed_from_both_ends(api, send):
    first = span(traceId=TRACE)
    link = {"traceId": TRACE, "spanId": first["spanId"]}
    second = span(traceId="cd" * 16, links=[link])
    send(first)
    before = api.get(f"{LIST}/{TRACE}")
    send(second)
    told = {
        "trace_id": "cd" * 16,
        "span_id": second["spanId"],
        "linked_trace_id": TRACE,
        "linked_span_id": first["spanId"],
    }
    there = api.get(f"{LIST}/{TRACE}", headers={"If-None-Match": before["ETag"]}).json()["data"]
    back = api.get(f"{LIST}/{'cd' * 16}").json()["data"]
    assert (there["linked_from"], there["linked_to"]) == ([told], [])
    assert (back["linked_from"], back["linked_to"]) == ([], [told])


def test_links_beyond_the_most_that_are_told_are_mentioned(api, send, monkeypatch):
    first = span(traceId=TRACE)
    link = {"traceId": TRACE, "spanId": first["spanId"]}
    send(first, *(span(traceId=f"c{number}" * 16, links=[link]) for number in range(3)))

    def told(most, trace=TRACE, fields="linked_from.trace_id,linked_to.trace_id"):
        monkeypatch.setattr("analytics.queries.traces.MOST_LINKS", most)
        return api.get(f"{LIST}/{trace}?fields={fields}", headers={"Cache-Control": "no-cache"}).json()["data"]

    known = told(3)["linked_from"]
    assert (len(known), told(3)) == (3, {"linked_from": known, "linked_to": []})
    assert told(2) == {"linked_from": known[:2], "linked_to": [], "linked_from_truncated": True}
    assert told(0, "c1" * 16) == {"linked_from": [], "linked_to": [], "linked_to_truncated": True}
    assert told(0, fields="span_name") == {"span_name": "chat gpt-4o"}

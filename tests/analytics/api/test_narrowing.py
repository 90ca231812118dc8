"""Lists, searches and figures of the spans that filters and parameters leave."""

import pytest

from tests.analytics.api.asking import LIST, STATS, TRACE, error, leaf, names
from tests.analytics.api.payloads import span


def test_a_line_and_its_json_form_find_the_same(api, search, send):
    send(
        span(name="a", attributes={"shop.cart": 3}),
        span(name="b", attributes={"shop.cart": "3", "gen_ai.request.model": "gpt-4o-mini"}),
        span(name="c", status={"code": 2}),
    )
    by_line = {line: set(names(api.get(LIST, {"q": line})))
               for line in ("attributes.shop.cart:3", "attributes.shop.cart=3", "attributes.shop.cart!=3",
                            'attributes.shop.cart="3"', "model:gpt-4o*", "-status:error model:gpt-4o")}  # fmt: skip
    assert by_line == {
        "attributes.shop.cart:3": {"a", "b"},
        "attributes.shop.cart=3": {"a", "b"},
        "attributes.shop.cart!=3": {"c"},
        'attributes.shop.cart="3"': {"b"},
        "model:gpt-4o*": {"a", "b", "c"},
        "-status:error model:gpt-4o": {"a"},
    }
    assert names(search(leaf("attributes.shop.cart", "eq", 3))) == ["a"]


@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        ({"min_duration_ms": 200}, {"long"}),
        ({"max_duration": 100}, {"short"}),
        ({"min_cost": "0.005"}, {"short", "long"}),
        ({"max_cost": "0.00000001"}, set()),
        ({"min_tokens": 1500, "max_tokens": 1500}, {"short", "long"}),
        ({"tags": "x,y"}, {"long"}),
        ({"tags": "y,x,z"}, set()),
        ({"scope": "roots"}, {"long"}),
        ({"scope": "calls", "status": "error"}, {"short"}),
        ({"trace_id": TRACE.upper()}, {"short", "long"}),
    ],
)
def test_every_parameter_narrows(api, send, parameters, expected):
    root = span(name="long", traceId=TRACE, duration_ms=300, attributes={"tag.tags": ["x", "y"]})
    child = span(name="short", traceId=TRACE, parentSpanId=root["spanId"], duration_ms=100, status={"code": 2},
                 attributes={"tag.tags": ["x"]})  # fmt: skip
    send(root, child)
    assert set(names(api.get(LIST, parameters))) == expected


def test_money_is_compared_to_the_last_of_its_digits(api, send):
    send(span(name="paid"))
    (cost,) = (one["cost"] for one in api.get(LIST, {"fields": "cost"}).json()["data"])
    more = f"{cost}{'0' * 30}1"
    found = {
        query: names(api.get(LIST, {"q": query}))
        for query in (f"cost={cost}", f"cost={more}", f"cost<{more}", f"cost>={more}", f"cost:{more},9")
    }
    assert found == {
        f"cost={cost}": ["paid"],
        f"cost={more}": [],
        f"cost<{more}": ["paid"],
        f"cost>={more}": [],
        f"cost:{more},9": [],
    }
    more = f"{cost}000001"
    assert [names(api.get(LIST, {bound: more})) for bound in ("min_cost", "max_cost")] == [[], ["paid"]]


def test_more_tags_than_a_filter_may_have_comparisons_are_refused(api):
    asked = [api.get(LIST, {"tags": ",".join(f"t{number}" for number in range(many))}) for many in (100, 101)]
    assert asked[0].status_code == 200
    assert error(asked[1]) == (400, 1205, "tags")


def test_an_orphan_is_a_root_and_a_span_beside_its_parent_is_not(api, send):
    root = span(name="root")
    send(root, span(name="child", traceId=root["traceId"], parentSpanId=root["spanId"]),
         span(name="orphan", parentSpanId="ee" * 8))  # fmt: skip
    assert set(names(api.get(LIST, {"scope": "roots"}))) == {"root", "orphan"}


def test_figures_are_over_the_spans_of_a_list(api, send):
    send(span(duration_ms=100), span(duration_ms=300, status={"code": 2}),
         span(attributes={"gen_ai.request.model": "unknown-1"}, duration_ms=200))  # fmt: skip
    assert api.get(STATS).json()["data"] == {
        "total_count": 3,
        "trace_count": 3,
        "total_cost_usd": 0.015,
        "unpriced_requests": 1,
        "total_tokens": 4500,
        "avg_duration_ms": 200,
        "min_duration_ms": 100,
        "max_duration_ms": 300,
        "success_count": 2,
        "error_count": 1,
        "success_rate": 0.666667,
    }
    assert api.get(STATS, {"q": "model:none", "fields": "total_count,avg_duration_ms,total_cost_usd"}).json()[
        "data"
    ] == {
        "total_count": 0,
        "avg_duration_ms": None,
        "total_cost_usd": 0,
    }

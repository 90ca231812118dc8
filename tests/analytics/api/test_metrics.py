"""Any metric by any dimension: GET /metrics and POST /metrics/query."""

from datetime import UTC, datetime

import pytest
from django.test import Client

from analytics.registry.rollups import BY_TABLE
from tests.analytics.api.payloads import NS, now_ns, span
from tests.analytics.storage.test_rollups import refresh_all

URL, QUERY = "/api/v1/metrics", "/api/v1/metrics/query"
HOUR = 3600 * NS


def error(reply):
    body = reply.json()["error"]
    return reply.status_code, body["code"], body.get("field")


def at(ns):
    return datetime.fromtimestamp(ns // NS, tz=UTC).isoformat().replace("+00:00", "Z")


@pytest.fixture
def base():
    """Nanoseconds of a full hour, three hours ago."""
    return (now_ns() // HOUR - 3) * HOUR


@pytest.fixture
def window(base):
    return {"start_time": at(base), "end_time": at(base + 2 * HOUR)}


@pytest.fixture
def calls(send, base):
    """Four calls in two hours: two models, two users, one failure, one without a price."""
    send(
        span(start_ns=base, duration_ms=100, attributes={"user.id": "jane", "tag.tags": ["a", "b"]}),
        span(start_ns=base + NS, duration_ms=300, attributes={"user.id": "joe", "color": "red"}),
        span(
            start_ns=base + HOUR,
            duration_ms=500,
            attributes={"gen_ai.request.model": "nobody-knows-1", "tag.tags": ["a"]},
        ),
        span(start_ns=base + HOUR + NS, duration_ms=900, status={"code": 2}, attributes={"error.type": "Timeout"}),
    )


@pytest.fixture
def ask(api, window):
    def post(client=api, **body):
        return client.post(QUERY, {**window, **body}, content_type="application/json")

    return post


def one(metric, aggregation=None, alias=None):
    given = {"metric": metric, "aggregation": aggregation, "alias": alias}
    return {name: value for name, value in given.items() if value is not None}


def test_metrics_by_hour_and_model(api, calls, window, base):
    body = api.get(URL, {"metrics": "request_count,duration,total_cost", "group_by": "model", **window}).json()
    assert body["data"] == [
        {"timestamp": at(base + HOUR), "model": "gpt-4o", "request_count": 1, "duration": 900, "total_cost": 0.0075},
        {
            "timestamp": at(base + HOUR),
            "model": "nobody-knows-1",
            "request_count": 1,
            "duration": 500,
            "total_cost": None,
        },
        {"timestamp": at(base), "model": "gpt-4o", "request_count": 2, "duration": 200, "total_cost": 0.015},
    ]
    metadata = {key: body["metadata"][key] for key in body["metadata"] if key not in {"as_of", "data_source"}}
    assert metadata == {
        "interval": "1hour",
        **window,
        "metrics": ["request_count", "duration", "total_cost"],
        "group_by": ["model"],
        "distinct_error": None,
        "total_points": 3,
        "truncated": False,
    }


@pytest.mark.parametrize(("exact", "told"), [(False, 0.02), (True, None)])
def test_numbers_of_different_users_are_within_the_error_that_is_told(api, send, base, exact, told):
    day = (base // (24 * HOUR) - 2) * 24 * HOUR
    users = [f"user-{number}" for number in range(1000)]
    send(*(span(start_ns=day + number * NS, attributes={"user.id": user}) for number, user in enumerate(users)))
    refresh_all()
    end = day + (NS * 1800 if exact else 24 * HOUR)  # rollups know whole hours

    asked = {"metrics": "unique_users", "interval": "all", "start_time": at(day), "end_time": at(end)}
    body = api.get(URL, asked).json()

    assert body["metadata"]["distinct_error"] == told
    assert abs(body["data"][0]["unique_users"] - len(users)) <= len(users) * (told or 0)


@pytest.mark.parametrize(
    ("spelling", "canonical"), [("1m", "1min"), ("five_minutes", "5min"), ("1hr", "1hour"), ("ALL", "all")]
)
def test_intervals_go_by_several_names(api, window, spelling, canonical):
    assert (
        api.get(URL, {"metrics": "request_count", "interval": spelling, **window}).json()["metadata"]["interval"]
        == canonical
    )


def test_a_span_with_several_tags_counts_under_each(api, calls, window):
    body = api.get(URL, {"metrics": "request_count", "interval": "all", "group_by": "tag", **window}).json()
    assert [(row["tag"], row["request_count"]) for row in body["data"]] == [("a", 2), ("b", 1), (None, 2)]


def test_free_attributes_group(api, calls, window):
    body = api.get(
        URL, {"metrics": "request_count", "interval": "all", "group_by": "attributes.color", **window}
    ).json()
    assert [(row["attributes.color"], row["request_count"]) for row in body["data"]] == [("red", 1), (None, 3)]


def test_the_aggregation_applies_to_the_metrics_that_have_it(api, calls, window):
    query = {"metrics": "request_count,duration,total_tokens", "aggregation": "max", "interval": "all", **window}
    (row,) = api.get(URL, query).json()["data"]
    assert {key: row[key] for key in ("request_count", "duration", "total_tokens")} == {
        "request_count": 4,
        "duration": 900,
        "total_tokens": 1500,
    }


def test_percentiles_are_added_when_wanted(api, calls, window):
    query = {"metrics": "request_count", "include_percentiles": "true", "interval": "all", **window}
    (row,) = api.get(URL, query).json()["data"]
    assert [key for key in row if key.startswith("p")] == ["p50_duration_ms", "p95_duration_ms", "p99_duration_ms"]
    assert row["p99_duration_ms"] == 900


@pytest.mark.parametrize(
    ("fill", "expected"),
    [
        ("none", [(2, 1, 2), (0, 1, 2)]),
        ("zero", [(2, 1, 2), (1, 0, 0), (0, 1, 2)]),
        ("previous", [(2, 1, 2), (1, 1, 2), (0, 1, 2)]),
    ],
)
def test_empty_buckets_are_filled_as_asked(api, send, base, fill, expected):
    send(span(start_ns=base, attributes={"user.id": "a"}), span(start_ns=base + 2 * HOUR, attributes={"user.id": "a"}))
    query = {
        "metrics": "request_count,unique_users",
        "fill": fill,
        "start_time": at(base),
        "end_time": at(base + 3 * HOUR),
    }
    data = api.get(URL, query).json()["data"]
    found = [((row["timestamp"]), row["request_count"], row["unique_users"]) for row in data]
    assert found == [
        (at(base + hour * HOUR), requests, users if users < 2 else 1) for hour, requests, users in expected
    ]


def test_fields_leave_out_figures(api, calls, window):
    query = {"metrics": "request_count,total_cost", "interval": "all", "fields": "data.total_cost", **window}
    assert api.get(URL, query).json()["data"] == [{"total_cost": 0.0225}]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", (400, 1201, "metrics")),
        ("metrics=", (400, 1203, "metrics")),
        ("metrics=latency", (400, 1202, "metrics")),
        (f"metrics={','.join(f'm{n}' for n in range(21))}", (400, 1205, "metrics")),
        ("metrics=request_count&interval=2min", (400, 1202, "interval")),
        ("metrics=request_count&group_by=colour", (400, 1202, "group_by")),
        ("metrics=request_count&group_by=attributes.", (400, 1202, "group_by")),
        ("metrics=request_count&group_by=attributes", (400, 1202, "group_by")),
        ("metrics=request_count&group_by=provider,model,tag,user_id,team_id,session_id", (400, 1205, "group_by")),
        ("metrics=request_count&aggregation=p42", (400, 1202, "aggregation")),
        ("metrics=request_count&aggregation=p95", (400, 1202, "aggregation")),
        ("metrics=request_count&fill=some", (400, 1202, "fill")),
        ("metrics=request_count&include_percentiles=yes", (400, 1203, "include_percentiles")),
        ("metrics=request_count&explain=1", (400, 1203, "explain")),
        ("metrics=request_count&start_time=now-91d", (400, 1204, "start_time")),
        ("metrics=request_count&start_time=now&end_time=now-1h", (400, 1204, "start_time")),
        ("metrics=request_count&start_time=now-1y", (400, 1203, "start_time")),
        ("metrics=request_count&start_time=now-1h&from=now-2h", (400, 1202, "from")),
        ("metrics=request_count&interval=1min&group_by=model&start_time=now-3d", (400, 1204, "start_time")),
        ("metrics=request_count&interval=1min&start_time=now-38d", (400, 1204, "start_time")),
        ("metrics=request_count&metrics=duration", (400, 1202, "metrics")),
        ("metrics=request_count&colour=red", (400, 1202, "colour")),
        ("metrics=request_count&fields=data.cost", (400, 1202, "fields")),
        ("metrics=request_count&project_id=nobody", (403, 1101, "project_id")),
        ("metrics=request_count&model=", (400, 1203, "model")),
        (f"metrics=request_count&model={'x' * 10_001}", (400, 1205, "model")),
        ("metrics=request_count&start_time=2026-01-01T00:00:00", (400, 1203, "start_time")),
        ("metrics=request_count&start_time=now-1d-1h-1m-1s", (400, 1203, "start_time")),
        ("metrics=request_count&start_time=now&end_time=now", (400, 1204, "start_time")),
        (f"metrics=request_count&project_id={','.join(f'p{n}' for n in range(21))}", (400, 1205, "project_id")),
        ("metrics=request_count&group_by=model,attributes.%00", (400, 1203, "group_by")),
    ],
)
def test_what_is_wrong_with_a_query_is_named(api, query, expected):
    assert error(api.get(f"{URL}?{query}")) == expected


def test_the_nearest_name_is_suggested(api):
    details = api.get(f"{URL}?metrics=request_counts").json()["error"]["details"]
    assert details.startswith("did you mean request_count? Allowed: request_count, error_count")


def test_a_plan_is_told_instead_of_run(api, calls, window):
    query = {
        "metrics": "request_count,duration",
        "aggregation": "p95",
        "explain": "true",
        "interval": "1hour",
        **window,
    }
    (plan,) = api.get(URL, query).json()["plan"]
    assert (plan["grain"], plan["columns"]) == ("1hour", ["request_count", "duration"])
    assert [part["part"] for part in plan["parts"]] == ["facts", "percentiles of duration"]
    sources = {source["source"] for part in plan["parts"] for source in part["sources"]}
    assert (sources - {*BY_TABLE}, "llm_traces" in sources) == ({"llm_traces"}, True)
    assert all("%(from_0)s" in part["sql"] and window["start_time"] not in part["sql"] for part in plan["parts"])


def test_a_plan_needs_the_permission_to_query(make_tenant):
    reader = Client(headers=make_tenant(permissions=["metrics:read"]).headers)
    assert reader.get(URL, {"metrics": "request_count"}).status_code == 200
    assert error(reader.get(URL, {"metrics": "request_count", "explain": "true"}))[:2] == (403, 1100)


# --- POST /metrics/query ----------------------------------------------------------------------------------------------
def test_a_query_with_conditions_and_order(ask, calls, window):
    body = ask(
        metrics=[one("request_count"), one("duration", "max", "slowest"), one("error_rate")],
        interval="all",
        group_by=["model"],
        filters=[{"dimension": "model", "operator": "in", "value": ["gpt-4o", "nobody-knows-1"]}],
        having=[{"metric": "duration", "aggregation": "max", "operator": "gt", "value": 500.5}],
        sort_by={"field": "slowest", "descending": False},
    ).json()
    assert body["data"] == [
        {
            "timestamp": window["start_time"],
            "model": "gpt-4o",
            "sum_request_count": 3,
            "slowest": 900,
            "error_rate": 0.333333,
        }
    ]
    metadata = {key: value for key, value in body["metadata"].items() if key not in {"as_of", "data_source"}}
    assert metadata == {
        "interval": "all",
        **window,
        "group_by": ["model"],
        "filters_applied": [{"dimension": "model", "operator": "in", "value": ["gpt-4o", "nobody-knows-1"]}],
        "having_conditions": [{"metric": "duration", "aggregation": "max", "operator": "gt", "value": 500.5}],
        "total_rows": 1,
        "distinct_error": None,
    }


def test_the_rest_is_one_more_row(ask, calls):
    body = ask(
        metrics=[one("request_count", alias="n")],
        interval="all",
        group_by=["user_id"],
        sort_by={"field": "n"},
        limit=1,
        other=True,
    ).json()
    assert [(row["user_id"], row["n"], row.get("other")) for row in body["data"]] == [(None, 2, None), (None, 2, True)]


def test_money_can_be_a_condition(ask, calls):
    having = [{"metric": "total_cost", "operator": "gte", "value": 0.015}]
    body = ask(metrics=[one("total_cost")], having=having).json()
    assert [row["sum_total_cost"] for row in body["data"]] == [0.015]


METRIC = {"metric": "request_count"}


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({}, (400, 1201, "metrics")),
        ({"metrics": []}, (400, 1205, "metrics")),
        ({"metrics": [METRIC] * 21}, (400, 1205, "metrics")),
        ({"metrics": "request_count"}, (400, 1203, "metrics")),
        ({"metrics": ["request_count"]}, (400, 1203, "metrics[0]")),
        ({"metrics": [{}]}, (400, 1201, "metrics[0].metric")),
        ({"metrics": [{"metric": "latency"}]}, (400, 1202, "metrics[0].metric")),
        ({"metrics": [{"metric": 7}]}, (400, 1203, "metrics[0].metric")),
        ({"metrics": [{**METRIC, "aggregation": "p95"}]}, (400, 1202, "metrics[0].aggregation")),
        ({"metrics": [{**METRIC, "aggregation": "mode"}]}, (400, 1202, "metrics[0].aggregation")),
        ({"metrics": [{**METRIC, "alias": "Total"}]}, (400, 1203, "metrics[0].alias")),
        ({"metrics": [{**METRIC, "alias": "1st"}]}, (400, 1203, "metrics[0].alias")),
        ({"metrics": [{**METRIC, "alias": "a" * 64}]}, (400, 1205, "metrics[0].alias")),
        ({"metrics": [{**METRIC, "alias": "timestamp"}]}, (400, 1202, "metrics[0].alias")),
        ({"metrics": [METRIC, METRIC]}, (400, 1202, "metrics[1].alias")),
        ({"metrics": [{**METRIC, "as": "n"}]}, (400, 1202, "metrics[0].as")),
        ({"metrics": [METRIC], "limit": 0}, (400, 1200, "limit")),
        ({"metrics": [METRIC], "limit": 10_001}, (400, 1200, "limit")),
        ({"metrics": [METRIC], "limit": "10"}, (400, 1203, "limit")),
        ({"metrics": [METRIC], "limit": True}, (400, 1203, "limit")),
        ({"metrics": [METRIC], "other": "yes"}, (400, 1203, "other")),
        ({"metrics": [METRIC], "interval": "week"}, (400, 1202, "interval")),
        ({"metrics": [METRIC], "group_by": ["colour"]}, (400, 1202, "group_by")),
        ({"metrics": [METRIC], "group_by": ["model"] * 6}, (400, 1205, "group_by")),
        ({"metrics": [METRIC], "filters": [{}]}, (400, 1201, "filters[0].dimension")),
        (
            {"metrics": [METRIC], "filters": [{"dimension": "colour", "operator": "eq", "value": "x"}]},
            (400, 1202, "filters[0].dimension"),
        ),
        (
            {"metrics": [METRIC], "filters": [{"dimension": "attributes. x", "operator": "eq", "value": "x"}]},
            (400, 1202, "filters[0].dimension"),
        ),
        (
            {"metrics": [METRIC], "filters": [{"dimension": "model", "operator": "like", "value": "x"}]},
            (400, 1202, "filters[0].operator"),
        ),
        (
            {"metrics": [METRIC], "filters": [{"dimension": "model", "operator": "starts_with", "value": "x"}]},
            (400, 1202, "filters[0].operator"),
        ),
        (
            {"metrics": [METRIC], "filters": [{"dimension": "model", "operator": "eq", "value": 7}]},
            (400, 1203, "filters[0].value"),
        ),
        (
            {"metrics": [METRIC], "filters": [{"dimension": "model", "operator": "in", "value": "x"}]},
            (400, 1203, "filters[0].value"),
        ),
        (
            {"metrics": [METRIC], "filters": [{"dimension": "model", "operator": "in", "value": []}]},
            (400, 1205, "filters[0].value"),
        ),
        (
            {"metrics": [METRIC], "filters": [{"dimension": "model", "operator": "in", "value": ["a", ""]}]},
            (400, 1203, "filters[0].value[1]"),
        ),
        (
            {"metrics": [METRIC], "having": [{**METRIC, "operator": "eq", "value": "1"}]},
            (400, 1203, "having[0].value"),
        ),
        (
            {"metrics": [METRIC], "having": [{**METRIC, "operator": "between", "value": 1}]},
            (400, 1202, "having[0].operator"),
        ),
        ({"metrics": [METRIC], "having": [{**METRIC, "operator": "eq", "value": 1}] * 11}, (400, 1205, "having")),
        ({"metrics": [METRIC], "sort_by": {"field": "cost"}}, (400, 1202, "sort_by.field")),
        ({"metrics": [METRIC], "sort_by": "n"}, (400, 1203, "sort_by")),
        ({"metrics": [METRIC], "start_time": None}, (400, 1201, "start_time")),
        ({"metrics": [METRIC], "start_time": "yesterday"}, (400, 1203, "start_time")),
        ({"metrics": [METRIC], "from": "now-1d"}, (400, 1202, "from")),
        ({"metrics": [METRIC], "start_time": "now-91d", "end_time": "now"}, (400, 1204, "start_time")),
        ({"metrics": [METRIC], "start_time": "now", "end_time": "now-1h"}, (400, 1204, "start_time")),
        ({"metrics": [METRIC], "start_time": "now-1d/x", "end_time": "now"}, (400, 1203, "start_time")),
        ({"metrics": [METRIC], "other": True, "interval": "1hour"}, (422, 1211, "other")),
        (
            {"metrics": [METRIC], "filters": [{"dimension": "model", "operator": "in", "value": ["x"] * 1001}]},
            (400, 1205, "filters[0].value"),
        ),
        ({"metrics": [METRIC], "colour": "red"}, (400, 1202, "colour")),
        ({"metrics": [METRIC], "project_id": ["nobody"]}, (403, 1101, "project_id")),
    ],
)
def test_what_is_wrong_with_a_body_is_named_by_its_path(ask, body, expected):
    assert error(ask(**body)) == expected


@pytest.mark.parametrize("text", ["[]", "{", '"x"'])
def test_what_is_no_object_is_refused(api, text):
    assert error(api.post(QUERY, text, content_type="application/json"))[:2] == (400, 1200)


def test_a_query_is_not_kept_by_clients(ask, calls):
    assert ask(metrics=[one("request_count")])["Cache-Control"] == "no-store"

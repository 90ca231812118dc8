"""What was spent and will be, as the contract tells it."""

from datetime import UTC, datetime, timedelta

import pytest
from django.test import Client

from tests.analytics.api.payloads import NS, now_ns, span

HOUR, DAY = 3600 * NS, 86_400 * NS
COSTS = "/api/v1/costs"


def error(reply):
    body = reply.json()["error"]
    return reply.status_code, body["code"], body.get("field")


def at(ns):
    return datetime.fromtimestamp(ns // NS, tz=UTC).isoformat().replace("+00:00", "Z")


def day(ns):
    return datetime.fromtimestamp(ns // NS, tz=UTC).date().isoformat()


@pytest.fixture
def base():
    """Nanoseconds of a midnight, three days ago."""
    return (now_ns() // DAY - 3) * DAY


@pytest.fixture
def window(base):
    return {"start_time": at(base), "end_time": at(base + 2 * DAY)}


def call(start, model="gpt-4o", *, provider="openai", user=None, tags=(), **more):
    """1,000 uncached input and 500 output tokens: of gpt-4o they cost 0.0075."""
    attributes = {"gen_ai.request.model": model, "gen_ai.provider.name": provider}
    attributes |= {"user.id": user} if user else {}
    attributes |= {"tag.tags": list(tags)} if tags else {}
    return span(start_ns=start, attributes=attributes, **more)


@pytest.fixture
def spent(send, base):
    send(
        call(base, user="jane", tags=["a", "b"]),
        call(base + HOUR, user="jane", tags=["a"]),
        call(base + DAY, user="joe"),
        call(base + DAY + HOUR, "gpt-4o-mini", tags=["b"]),
        call(base + DAY + 2 * HOUR, "nobody-knows-1"),
    )


GPT, MINI = 0.0075, 0.00045


def test_the_example_of_the_price_book(api, send, base, window):
    send(call(base))
    body = api.get(f"{COSTS}/analytics", window).json()
    assert (body["total_cost"], body["prompt_cost"], body["completion_cost"]) == (0.0075, 0.0025, 0.005)


def test_costs_over_time_by_model(api, spent, window, base):
    body = api.get(f"{COSTS}/analytics", {**window, "granularity": "1day", "group_by": "model"}).json()
    series = body.pop("time_series")
    body.pop("metadata")
    assert body == {
        "total_cost": 0.02295,
        "prompt_cost": 0.00765,
        "completion_cost": 0.0153,
        "request_count": 5,
        "unpriced_requests": 1,
        "avg_cost_per_request": 0.0057375,
    }
    assert [(one["timestamp"], one["model"], one["total_cost"]) for one in series] == [
        (at(base), "gpt-4o", 0.015),
        (at(base + DAY), "gpt-4o", 0.0075),
        (at(base + DAY), "gpt-4o-mini", MINI),
        (at(base + DAY), "nobody-knows-1", None),
    ]


def test_costs_by_model_user_and_provider(api, spent, window):
    body = api.get(f"{COSTS}/breakdown", {**window, "granularity": "1day"}).json()
    assert [(one["dimension"], one["total_cost"], one["percentage"]) for one in body["by_user"]] == [
        ("jane", 0.015, 65.3595),
        ("joe", 0.0075, 32.6797),
        ("anonymous", MINI, 1.9608),
    ]
    assert [one["dimension"] for one in body["by_model"]] == ["gpt-4o", "gpt-4o-mini", "nobody-knows-1"]
    assert [(one["dimension"], one["request_count"]) for one in body["by_provider"]] == [("openai", 5)]
    assert [one["total_cost"] for one in body["by_time"]] == [0.015, 0.00795]


def test_what_has_no_price_is_listed(api, spent, window, base):
    body = api.get(f"{COSTS}/unpriced", window).json()
    seen = at(base + DAY + 2 * HOUR)
    assert (body["items"], body["summary"]) == (
        [
            {
                "provider": "openai",
                "model": "nobody-knows-1",
                "reason": "no_price",
                "request_count": 1,
                "total_tokens": 1500,
                "first_seen": seen,
                "last_seen": seen,
            }
        ],
        {"request_count": 1, "total_tokens": 1500},
    )


def test_costs_are_attributed_to_users(api, spent, window):
    body = api.get(f"{COSTS}/attribution", {**window, "dimension": "user", "limit": 1}).json()
    assert body["items"] == [
        {
            "dimension_value": "jane",
            "total_cost": 0.015,
            "prompt_cost": 0.005,
            "completion_cost": 0.01,
            "request_count": 2,
            "unpriced_requests": 0,
            "total_tokens": 3000,
            "cost_percentage": 65.3595,
            "avg_cost_per_request": 0.0075,
            "by_provider": {"openai": 0.015},
            "by_model": {"gpt-4o": 0.015},
        }
    ]
    assert body["other"] == {"items": 2, "total_cost": 0.00795, "request_count": 3}
    assert body["summary"] == {
        "total_cost": 0.02295,
        "total_requests": 5,
        "unique_items": 3,
        "avg_cost_per_item": 0.00765,
    }
    assert (body["metadata"]["dimension"], body["metadata"]["total_items"]) == ("user", 3)


def test_a_span_with_several_tags_counts_fully_under_each(api, spent, window):
    body = api.get(f"{COSTS}/attribution", {**window, "dimension": "tag"}).json()
    assert [(one["dimension_value"], one["total_cost"]) for one in body["items"]] == [
        ("a", 0.015),
        ("b", 0.00795),
        (None, 0.0075),
    ]
    assert body["summary"]["total_cost"] == 0.02295


def test_least_costs_leave_items_out_before_the_limit(api, spent, window):
    body = api.get(f"{COSTS}/attribution", {**window, "dimension": "model", "min_cost": "0.001"}).json()
    assert [one["dimension_value"] for one in body["items"]] == ["gpt-4o"]
    assert (body["metadata"]["total_items"], body["summary"]["unique_items"], body["other"]["items"]) == (1, 3, 2)


def test_projects_are_named_by_their_uuid(api, spent, window, tenant):
    body = api.get(f"{COSTS}/attribution", {**window, "dimension": "project"}).json()
    assert [one["dimension_value"] for one in body["items"]] == [str(tenant.projects[0].public_id)]


def test_a_summary_of_costs(api, spent, window, base):
    body = api.get(f"{COSTS}/summary", {**window, "top_limit": 1}).json()
    assert body["overview"] == {
        "total_cost": 0.02295,
        "prompt_cost": 0.00765,
        "completion_cost": 0.0153,
        "total_requests": 5,
        "unpriced_requests": 1,
        "total_tokens": 7500,
        "avg_cost_per_request": 0.0057375,
        "avg_cost_per_1k_tokens": 0.00306,
        "day_over_day_change": -47,
        "week_over_week_change": None,
    }
    assert [(one["name"], one["cost"], one["percentage"]) for one in body["by_model"]] == [
        ("gpt-4o", 0.0225, 98.0392),
        ("gpt-4o-mini", MINI, 1.9608),
        ("nobody-knows-1", None, 0),
    ]
    assert body["trends"]["daily"] == [
        {"date": day(base), "cost": 0.015, "requests": 2},
        {"date": day(base + DAY), "cost": 0.00795, "requests": 3},
    ]
    assert (body["trends"]["slope_usd_daily"], body["trends"]["growth_rate_daily"]) == (-0.00705, -61.4379)
    (dearest,) = body["top_traces"]
    assert (dearest["timestamp"], dearest["model"], dearest["cost"], dearest["tokens"]) == (
        at(base + DAY),
        "gpt-4o",
        0.0075,
        1500,
    )
    assert (body["metadata"]["period_days"], body["metadata"]["generated_at"]) == (2, body["metadata"]["as_of"])


def test_trends_and_traces_can_be_left_out(api, spent, window):
    body = api.get(f"{COSTS}/summary", {**window, "include_trends": "false", "include_top_traces": "false"}).json()
    assert (body["trends"], body["top_traces"]) == (None, None)


def test_what_is_not_selected_is_not_there(api, spent, window):
    body = api.get(f"{COSTS}/summary", {**window, "fields": "overview.total_cost,by_provider.name"}).json()
    body.pop("metadata")
    assert body == {"overview": {"total_cost": 0.02295}, "by_provider": [{"name": "openai"}]}


@pytest.fixture
def history(send):
    midnight = now_ns() // DAY * DAY
    send(
        *(
            call(midnight - (number + 1) * DAY, user=f"u{copy}")
            for number in range(29)
            for copy in range(number % 3 + 1)
        )
    )
    return midnight


def test_a_forecast_of_a_month_of_history(api, history):
    body = api.get(f"{COSTS}/forecast", {"forecast_period": "next_week"}).json()
    metadata = body["metadata"]
    assert (metadata["model_type"], metadata["forecast_days"]) == ("linear_regression_weekday", 7)
    assert (metadata["historical_end"], metadata["forecast_start"]) == (day(history), day(history))
    assert [one["cost"] for one in body["historical"]][-3:] == [0.0225, 0.015, 0.0075]
    assert len(body["forecast"]) == 7
    assert all(one["lower_bound"] <= one["forecasted_cost"] <= one["upper_bound"] for one in body["forecast"])
    summary = body["summary"]
    assert summary["projected_monthly_cost"] == pytest.approx(summary["avg_daily_cost"] * 30)
    assert summary["total_forecasted_cost"] == pytest.approx(sum(one["forecasted_cost"] for one in body["forecast"]))


def test_less_than_four_weeks_have_no_interval(api, history):
    start = (datetime.now(UTC) - timedelta(days=20)).date().isoformat()
    body = api.get(
        f"{COSTS}/forecast", {"historical_start": start, "forecast_period": "custom", "forecast_days": 3}
    ).json()
    assert body["metadata"]["model_type"] == "linear_regression"
    assert [(one["lower_bound"], one["upper_bound"]) for one in body["forecast"]] == [(None, None)] * 3


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("attribution", (400, 1201, "dimension")),
        ("attribution?dimension=user", (400, 1201, "start_time")),
        ("attribution?dimension=user&start_time=now-1d", (400, 1201, "end_time")),
        ("attribution?dimension=colour&from=now-1d&to=now", (400, 1202, "dimension")),
        ("attribution?dimension=attributes.&from=now-1d&to=now", (400, 1202, "dimension")),
        ("attribution?dimension=user&from=now-1d&to=now&limit=0", (400, 1200, "limit")),
        ("attribution?dimension=user&from=now-1d&to=now&limit=1001", (400, 1200, "limit")),
        ("attribution?dimension=user&from=now-1d&to=now&min_cost=-1", (400, 1200, "min_cost")),
        ("attribution?dimension=user&from=now-1d&to=now&min_cost=1e3", (400, 1203, "min_cost")),
        ("attribution?dimension=user&from=now-1d&to=now&min_cost=", (400, 1203, "min_cost")),
        ("summary?top_limit=101", (400, 1200, "top_limit")),
        ("summary?include_trends=1", (400, 1203, "include_trends")),
        ("summary?start_time=now-366d", (400, 1204, "start_time")),
        ("summary?fields=overview.price", (400, 1202, "fields")),
        ("analytics?group_by=user", (400, 1202, "group_by")),
        ("analytics?granularity=month", (400, 1202, "granularity")),
        ("breakdown?limit=3", (400, 1202, "limit")),
        ("unpriced?start_time=tomorrow", (400, 1203, "start_time")),
        ("forecast?forecast_period=next_year", (400, 1202, "forecast_period")),
        ("forecast?forecast_period=custom", (400, 1201, "forecast_days")),
        ("forecast?forecast_days=366", (400, 1200, "forecast_days")),
        ("forecast?historical_start=now-6d", (400, 1204, "historical_start")),
        ("forecast?historical_start=now-366d", (400, 1204, "historical_start")),
        ("forecast?historical_start=now-30d", (400, 1204, "historical_start")),
        ("forecast?start_time=now-30d", (400, 1202, "start_time")),
    ],
)
def test_what_is_wrong_is_named(api, path, expected):
    assert error(api.get(f"{COSTS}/{path}")) == expected


def test_costs_need_their_permission(make_tenant):
    reader = Client(headers=make_tenant(permissions=["metrics:read"]).headers)
    assert error(reader.get(f"{COSTS}/summary"))[:2] == (403, 1100)
    assert error(Client().get(f"{COSTS}/summary"))[:2] == (401, 1000)

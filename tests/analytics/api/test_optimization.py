"""Advice with the numbers behind it, and none where there are none."""

from tests.analytics.api.payloads import NS, now_ns, span

URL = "/api/v1/optimization"


def calls(count, model, *, seconds=0.1, tokens=1000, answered=500, text=None, trace=None, **more):
    start = now_ns() - 7200 * NS
    attributes = {
        "gen_ai.request.model": model,
        "gen_ai.provider.name": "openai",
        "gen_ai.operation.name": "chat",
        "gen_ai.usage.input_tokens": tokens,
        "gen_ai.usage.output_tokens": answered,
    }
    for number in range(count):
        said = {"input.value": text or f"question {number} of {model}"}
        same = {"traceId": trace} if trace else {}
        yield span(
            start_ns=start + number * NS, duration_ms=int(seconds * 1000), attributes=attributes | said, **same, **more
        )


def titles(body, area):
    return [one["title"] for one in body[area]]


def test_over_nothing_there_is_nothing_to_advise(api):
    body = api.get(URL).json()
    body.pop("metadata")
    assert body == {
        "cost_optimizations": [],
        "performance_optimizations": [],
        "quality_optimizations": [],
        "overall_score": 1,
    }


def test_a_cheaper_model_that_does_as_well_is_named_with_its_saving(api, send):
    send(*calls(100, "gpt-4o"), *calls(100, "gpt-4o-mini"))
    (found,) = [one for one in api.get(URL).json()["cost_optimizations"] if one["title"].startswith("Use ")]
    assert (found["title"], found["potential_savings"]) == ("Use gpt-4o-mini instead of gpt-4o for chat", 0.705)
    assert (found["evidence"]["cost"], found["evidence"]["cost_with_it"]) == (0.75, 0.045)


def test_prompts_that_repeat_are_counted_and_costed(api, send):
    send(*calls(4, "gpt-4o", text="the same"), *calls(2, "gpt-4o-mini", text="the same"))
    (found,) = [one for one in api.get(URL).json()["cost_optimizations"] if "repeated" in one["title"]]
    assert found["evidence"] == {
        "sampled_requests": 6,
        "repeated_requests": 4,
        "prompts": 2,
        "cost_of_repeats": 0.02295,
    }
    assert found["potential_savings"] == 0.02295


def test_slow_and_failing_traffic_is_told(api, send):
    send(
        *calls(3, "gpt-4o", seconds=3, trace="ab" * 16, status={"code": 2}),
        *calls(5, "gpt-4o", seconds=3),
        *calls(1, "nobody-knows-1", seconds=3),
    )
    body = api.get(URL).json()
    assert titles(body, "performance_optimizations") == ["Lower the latency of requests"]
    assert titles(body, "quality_optimizations") == [
        "Lower the share of failed requests",
        "Stop retries that keep failing",
    ]
    assert titles(body, "cost_optimizations") == ["Give every model a price"]
    assert body["overall_score"] == 0.5
    assert body["quality_optimizations"][1]["evidence"] == {
        "sampled_failures": 3,
        "traces": 1,
        "failed_requests": 3,
        "cost_of_failures": 0.0225,
    }


def test_answers_far_longer_than_the_models_own_median_are_told(api, send):
    send(
        *calls(96, "gpt-4o"),
        *calls(4, "gpt-4o", answered=5000),
        *calls(100, "gpt-4o-mini", answered=9000),  # long, but always so
    )
    (found,) = [one for one in api.get(URL).json()["cost_optimizations"] if one["title"].startswith("Bound")]
    assert (found["title"], found["evidence"]) == (
        "Bound the output of gpt-4o",
        {
            "model": "gpt-4o",
            "sampled_requests": 100,
            "median_completion_tokens": 500,
            "p99_completion_tokens": 5000,
            "outliers": 4,
            "outlier_completion_tokens": 20_000,
            "outlier_tokens_percentage": 29.4118,
        },
    )


def test_long_inputs_that_no_cache_is_read_for_are_told(api, send):
    send(*calls(2, "gpt-4o", tokens=9000))
    found = [one for one in api.get(URL).json()["cost_optimizations"] if one["title"].startswith("Cache")]
    assert [one["evidence"]["avg_uncached_input_tokens"] for one in found] == [9000]


def test_the_alias_is_the_same_view(api, send):
    send(*calls(2, "gpt-4o", tokens=9000))
    assert api.get("/api/v1/analytics/optimization").json() == api.get(URL).json()
